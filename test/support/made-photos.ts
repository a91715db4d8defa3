import { crc32, deflateSync } from 'node:zlib';

export interface MadePng {
  readonly width: number;
  readonly height: number;
  /** Default: red, green and blue of 8 bits. */
  readonly alpha?: boolean;
  /** Red, green, blue and alpha; default: black. */
  readonly colourAt?: (x: number, y: number) => readonly number[];
  /** Before the picture's data. */
  readonly chunks?: readonly Uint8Array[];
  /** In place of the picture's data. */
  readonly data?: Uint8Array;
}

export function pngChunk(type: string, data: Uint8Array): Buffer {
  const chunk = Buffer.alloc(12 + data.length);
  chunk.writeUInt32BE(data.length);
  chunk.write(type, 4, 'latin1');
  chunk.set(data, 8);
  chunk.writeUInt32BE(crc32(chunk.subarray(4, 8 + data.length)), 8 + data.length);
  return chunk;
}

export const pngSignature: Buffer = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');

export function pngHeader(width: number, height: number, colourType: number): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width);
  header.writeUInt32BE(height, 4);
  header[8] = 8;
  header[9] = colourType;
  return pngChunk('IHDR', header);
}

export function makePng({ width, height, alpha = false, colourAt, chunks = [], data }: MadePng): Buffer {
  const channels = alpha ? 4 : 3;
  const rows = Buffer.alloc(data === undefined ? height * (1 + width * channels) : 0);
  if (colourAt !== undefined) {
    for (let y = 0; y < height; y += 1) {
      for (let x = 0; x < width; x += 1) rows.set(colourAt(x, y).slice(0, channels), y * (1 + width * channels) + 1 + x * channels);
    }
  }
  const header = pngHeader(width, height, alpha ? 6 : 2);
  return Buffer.concat([
    pngSignature,
    header,
    ...chunks,
    pngChunk('IDAT', data ?? deflateSync(rows, { level: 1 })),
    pngChunk('IEND', Buffer.alloc(0)),
  ]);
}

/** A TIFF structure that holds nothing but the Orientation tag. */
export function tiffOrientation(orientation: number): Buffer {
  const tiff = Buffer.from('MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\0\0\0\0\0\0\0', 'latin1');
  tiff.writeUInt16BE(orientation, 18);
  return tiff;
}

export interface MadeJpeg {
  /** Multiples of 8, px. */
  readonly width: number;
  readonly height: number;
  /** Samples of the components: one is grey, three are YCbCr, four are Adobe's inverted CMYK. Each block of 8 px has its own. */
  readonly blockAt: (column: number, row: number) => readonly number[];
  readonly progressive?: boolean;
  readonly orientation?: number;
}

/** A JPEG of flat blocks, coded by hand: every coefficient but the first is nought. */
export function makeJpeg({ width, height, blockAt, progressive = false, orientation }: MadeJpeg): Buffer {
  const components = blockAt(0, 0).length;
  const ids = Array.from({ length: components }, (_, i) => i + 1);
  const head: Uint8Array[] = [Buffer.from([0xff, 0xd8])];
  if (orientation !== undefined) head.push(segment(0xe1, Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), tiffOrientation(orientation)])));
  if (components === 4) head.push(segment(0xee, Buffer.from('Adobe\0\x64\0\0\0\0\0', 'latin1')));
  head.push(
    // Steps of 8: a sample's difference of 1 is one step of the first coefficient.
    segment(0xdb, Buffer.concat([Buffer.from([0]), Buffer.alloc(64, 8)])),
    segment(
      progressive ? 0xc2 : 0xc0,
      Buffer.from([8, height >> 8, height & 255, width >> 8, width & 255, components, ...ids.flatMap((id) => [id, 0x11, 0])]),
    ),
    // Twelve codes of four bits, for differences of 0 to 11 bits.
    segment(0xc4, Buffer.from([0x00, 0, 0, 0, 12, ...Buffer.alloc(12), 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])),
    // One code, a single nought, for the end of the block.
    segment(0xc4, Buffer.from([0x10, 1, ...Buffer.alloc(15), 0])),
  );
  head.push(segment(0xda, Buffer.from([components, ...ids.flatMap((id) => [id, 0]), 0, progressive ? 0 : 63, 0])));
  return Buffer.concat([...head, entropyCoded({ width, height, blockAt, progressive }), Buffer.from([0xff, 0xd9])]);
}

export function segment(marker: number, content: Uint8Array): Buffer {
  const head = Buffer.from([0xff, marker, 0, 0]);
  head.writeUInt16BE(content.length + 2, 2);
  return Buffer.concat([head, content]);
}

function entropyCoded({ width, height, blockAt, progressive = false }: MadeJpeg): Buffer {
  const bits: string[] = [];
  const before = blockAt(0, 0).map(() => 0);
  for (let row = 0; row < height / 8; row += 1) {
    for (let column = 0; column < width / 8; column += 1) {
      blockAt(column, row).forEach((sample, i) => {
        const level = sample - 128;
        bits.push(difference(level - (before[i] ?? 0)), progressive ? '' : '0');
        before[i] = level;
      });
    }
  }
  const all = bits.join('');
  const padded = all.padEnd(Math.ceil(all.length / 8) * 8, '1');
  const bytes: number[] = [];
  for (let at = 0; at < padded.length; at += 8) {
    const byte = Number.parseInt(padded.slice(at, at + 8), 2);
    bytes.push(byte, ...(byte === 0xff ? [0] : []));
  }
  return Buffer.from(bytes);
}

/** How many bits, in a code of four, and the bits (ITU-T T.81 section F.1.2.1). */
function difference(value: number): string {
  const length = value === 0 ? 0 : Math.floor(Math.log2(Math.abs(value))) + 1;
  const bits = value < 0 ? value + 2 ** length - 1 : value;
  return length.toString(2).padStart(4, '0') + (length === 0 ? '' : bits.toString(2).padStart(length, '0'));
}
