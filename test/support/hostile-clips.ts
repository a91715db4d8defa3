import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync, gzipSync } from 'node:zlib';
import { type MadeFilm, makeFilm, makeSound, steady } from './made-clips.ts';
import { makeJpeg, makePng, pngChunk, pngHeader, pngSignature, segment } from './made-photos.ts';
import { type Random, seeded } from './seeded.ts';

/** What reading a clip may come to: a refusal's code, or `ok` and its frames. */
export interface HostileClip {
  readonly name: string;
  readonly bytes: Buffer;
  /** Codes, or numbers of frames, or `ok` for whatever number. */
  readonly expected: readonly (string | number)[];
}

/** A film's bytes. */
export async function filmBytes(film: Partial<Omit<MadeFilm, 'path'>>): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'vt-made-clip-'));
  try {
    const path = join(folder, 'clip');
    await makeFilm({ container: 'mp4', codec: 'h264', width: 64, height: 48, timesMs: steady(25, 25), ...film, path });
    return await readFile(path);
  } finally {
    await rm(folder, { recursive: true });
  }
}

function box(type: string, ...content: readonly Uint8Array[]): Buffer {
  const all = Buffer.concat([Buffer.alloc(8), ...content]);
  all.writeUInt32BE(all.length);
  all.write(type, 4, 'latin1');
  return all;
}

function u32(...numbers: readonly number[]): Buffer {
  const bytes = Buffer.alloc(numbers.length * 4);
  numbers.forEach((value, i) => {
    bytes.writeUInt32BE(value, i * 4);
  });
  return bytes;
}

/** A copy in which the bytes `after` a box's name are others. */
export function patched(bytes: Buffer, name: string, changes: (at: number, copy: Buffer) => void): Buffer {
  const copy = Buffer.from(bytes);
  let found = 0;
  for (let at = copy.indexOf(name, 0, 'latin1'); at >= 0; at = copy.indexOf(name, at + 4, 'latin1')) {
    changes(at + 4, copy);
    found += 1;
  }
  if (found === 0) throw new Error(`the clip has no ${name}`);
  return copy;
}

const nesting = ['moov', 'trak', 'mdia', 'minf', 'dinf', 'stbl'];

/** A copy with another box in place of the first of that name. The media must come before the index. */
export function replaced(bytes: Buffer, name: string, other: Buffer): Buffer {
  const at = bytes.indexOf(name, 0, 'latin1') - 4;
  const old = bytes.readUInt32BE(at);
  const copy = Buffer.concat([bytes.subarray(0, at), other, bytes.subarray(at + old)]);
  for (const parent of nesting) {
    const from = bytes.lastIndexOf(parent, at, 'latin1') - 4;
    if (from >= 0 && from + bytes.readUInt32BE(from) >= at + old) copy.writeUInt32BE(bytes.readUInt32BE(from) + other.length - old, from);
  }
  return copy;
}

/** A Macintosh alias to a file by its absolute path, as QuickTime's data references hold it. */
function alias(path: string): Buffer {
  const head = Buffer.alloc(150);
  const name = Buffer.from(path, 'latin1');
  const tail = Buffer.alloc(4 + name.length + (name.length & 1));
  tail.writeUInt16BE(2);
  tail.writeUInt16BE(name.length, 2);
  tail.set(name, 4);
  return box('dref', u32(0, 1), box('alis', u32(0), head, tail, Buffer.from([0xff, 0xff, 0, 0])));
}

function link(url: string): Buffer {
  return box('dref', u32(0, 1), box('url ', u32(0), Buffer.from(`${url}\0`)));
}

const text = (content: string): Buffer => Buffer.from(content);

/** What is no clip at all, whatever it is called. */
export function notClips(port: number): HostileClip[] {
  const random = seeded(7);
  const url = `http://127.0.0.1:${port}/clip.mp4`;
  const files: Record<string, Buffer> = {
    nothing: Buffer.alloc(0),
    'one byte': Buffer.from([0xff]),
    noughts: Buffer.alloc(65_536),
    noise: Buffer.from(Array.from({ length: 4096 }, () => Math.floor(random() * 256))),
    'a zip archive': Buffer.concat([text('PK\x03\x04\x14\0\0\0\0\0'), Buffer.alloc(200)]),
    'a gzip archive': gzipSync(Buffer.alloc(1000)),
    'a PDF': text('%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n'),
    'a web page': text(`<!doctype html><video src="${url}"></video>`),
    'a Windows program': Buffer.concat([text('MZ'), Buffer.alloc(300, 0x90)]),
    'a Linux program': Buffer.concat([text('\x7fELF\x02\x01\x01'), Buffer.alloc(300)]),
    'an HLS playlist': text(`#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n${url}\n#EXT-X-ENDLIST\n`),
    'a list of files to join': text("ffconcat version 1.0\nfile '/etc/passwd'\n"),
    'a session description': text(
      `v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=video ${port} RTP/AVP 96\na=rtpmap:96 H264/90000\n`,
    ),
    'a drawing that links': text(`<svg xmlns="http://www.w3.org/2000/svg"><image href="${url}"/></svg>`),
    'a SMIL presentation': text(`<smil><body><video src="${url}"/></body></smil>`),
    'a cue sheet': text('FILE "/etc/passwd" BINARY\n  TRACK 01 AUDIO\n'),
    'a DASH manifest': text(`<?xml version="1.0"?><MPD><BaseURL>${url}</BaseURL></MPD>`),
    'an animated GIF': Buffer.concat([text('GIF89a'), Buffer.from([16, 0, 16, 0, 0x80, 0, 0]), Buffer.alloc(100)]),
    'a WAV': Buffer.concat([text('RIFF'), Buffer.from([36, 0, 0, 0]), text('WAVEfmt '), Buffer.alloc(100)]),
    'an MP3': Buffer.concat([text('ID3\x04\0\0\0\0\0\0'), Buffer.from([0xff, 0xfb, 0x90, 0]), Buffer.alloc(1000)]),
    'a WebP': Buffer.concat([text('RIFF'), Buffer.from([36, 0, 0, 0]), text('WEBPVP8 '), Buffer.alloc(100)]),
    'an HEIC photo': Buffer.concat([box('ftyp', text('heic\0\0\0\0mif1heic')), Buffer.alloc(500)]),
    'an AVIF photo': Buffer.concat([box('ftyp', text('avif\0\0\0\0mif1miaf')), Buffer.alloc(500)]),
    'an EBML file of another kind': Buffer.from([0x1a, 0x45, 0xdf, 0xa3, 0x88, 0x42, 0x82, 0x85, ...text('other'), ...Buffer.alloc(50)]),
    'a TIFF': Buffer.concat([text('II\x2a\0'), Buffer.alloc(100)]),
  };
  return Object.entries(files).map(([name, bytes]) => ({ name, bytes, expected: ['not_a_video'] }));
}

/** Films that lie, end early or ask for what they must not have: one of them a file that it has put into the folder. */
export async function hostileFilms(port: number, folder: string): Promise<HostileClip[]> {
  const mp4 = await filmBytes({});
  // Its pictures stand where those of the films that refer to it would.
  const other = join(folder, 'other.mp4');
  await writeFile(other, mp4);
  const early = await filmBytes({ width: 192, height: 108, muxer: { movflags: 'faststart' } });
  const webm = await filmBytes({ container: 'webm', codec: 'vp8' });
  const reordered = await filmBytes({ encoder: { preset: 'medium', bf: 3 } });
  const fragmented = await filmBytes({ width: 192, height: 108, muxer: { movflags: 'frag_keyframe+empty_moov' } });
  const large = await filmBytes({ width: 640, height: 480, timesMs: steady(3, 25) });
  const largeVp8 = await filmBytes({ container: 'webm', codec: 'vp8', timesMs: steady(3, 25) });
  const frames = (bytes: Buffer, ...counts: (string | number)[]) => ({ bytes, expected: counts });
  const part = (bytes: Buffer, share: number): Buffer => bytes.subarray(0, Math.round(bytes.length * share));
  const files: Record<string, { bytes: Buffer; expected: (string | number)[] }> = {
    'an MP4 of a file type only': frames(mp4.subarray(0, mp4.readUInt32BE(0)), 'damaged'),
    'an MP4 cut off at a tenth': frames(part(mp4, 0.1), 'damaged'),
    'an MP4 cut off at half': frames(part(mp4, 0.5), 'damaged'),
    'an MP4 cut off in its index': frames(mp4.subarray(0, mp4.length - 200), 'damaged'),
    'an MP4 with its index first, cut off near its end': frames(part(early, 0.8), 'ok'),
    'an MP4 with its index first, cut off in the index': frames(part(early, 0.05), 'damaged'),
    'an MP4 in fragments, cut off near its end': frames(part(fragmented, 0.9), 'ok'),
    'an MP4 with its index first': frames(early, 25),
    'noise behind a file type': frames(Buffer.concat([mp4.subarray(0, 32), Buffer.alloc(5000, 0x5a)]), 'damaged'),
    'a WebM of a header only': frames(webm.subarray(0, 60), 'damaged'),
    'a WebM cut off at half': frames(part(webm, 0.6), 'ok'),
    'a WebM cut off in its tracks': frames(webm.subarray(0, 200), 'damaged'),
    'sound in an MP4': frames(await soundOnly('mp4'), 'not_a_video'),
    'sound in a WebM': frames(await soundOnly('webm'), 'not_a_video'),
    'an AVI': frames(await filmBytes({ container: 'avi', codec: 'mjpeg' }), 'not_a_video'),
    'MPEG-4 part 2 in an MP4': frames(await filmBytes({ codec: 'mpeg4' }), 'format_not_supported'),
    'an MP4 whose pictures are in /etc/passwd': frames(replaced(mp4, 'dref', alias('/etc/passwd')), 'damaged'),
    'an MP4 whose pictures are in /etc/passwd, by address': frames(replaced(mp4, 'dref', link('file:///etc/passwd')), 'ok', 'damaged'),
    'an MP4 whose pictures are on the network': frames(replaced(mp4, 'dref', link(`http://127.0.0.1:${port}/x`)), 'ok', 'damaged'),
    'an MP4 whose pictures are in another file': frames(replaced(mp4, 'dref', alias(other)), 'damaged'),
    'an MP4 that claims ten hours': frames(tenHours(mp4), 25),
    'an MP4 without samples': frames(withoutSamples(mp4), 'damaged'),
    'an MP4 of two frames ten hours apart': frames(await filmBytes({ timesMs: [0, 36_000_000] }), 'too_long'),
    'an MP4 that claims billions of samples of one size': frames(replaced(mp4, 'stsz', box('stsz', u32(0, 1, 0xffff_fff0))), 'too_heavy'),
    'an MP4 whose table of sizes claims billions': frames(replaced(mp4, 'stsz', box('stsz', u32(0, 0, 0xffff_fff0, 1, 2))), 'too_heavy'),
    'an MP4 whose runs of durations claim billions': frames(replaced(mp4, 'stts', box('stts', u32(0, 1, 0xffff_fff0, 1))), 'too_heavy'),
    'a fragment that claims billions of samples': frames(
      Buffer.concat([
        fragmented,
        box('moof', box('mfhd', u32(0, 99)), box('traf', box('tfhd', u32(0x20000, 1)), box('trun', u32(0, 0xffff_fff0)))),
      ]),
      'too_heavy',
    ),
    'an MP4 of a thousand cuts': frames(replaced(mp4, 'elst', box('elst', u32(0, 1000), Buffer.alloc(12_000))), 'too_heavy'),
    'a compressed index': frames(
      Buffer.concat([
        box('ftyp', text('qt  \0\0\0\0qt  ')),
        box('moov', box('cmov', box('dcom', text('zlib')), box('cmvd', u32(0x7fff_ffff), deflateSync(Buffer.alloc(9))))),
      ]),
      'format_not_supported',
    ),
    'an MP4 whose header claims 16384 px': frames(
      patched(mp4, 'avc1', (at, copy) => copy.writeUInt32BE(0x4000_4000, at + 24)),
      'too_heavy',
      'ok',
    ),
    'a film with the colours of a film scanner': frames(
      await filmBytes({ encoder: { 'x264-params': 'transfer=log316' } }),
      'format_not_supported',
    ),
    'an MP4 of 640 px that claims 64': frames(
      patched(large, 'avc1', (at, copy) => copy.writeUInt32BE(0x0040_0030, at + 24)),
      3,
    ),
    'a WebM whose frames claim 16383 px': frames(hugeVp8(largeVp8), 'damaged'),
    'a WebM that claims 16384 px': frames(
      hugeWebm(await filmBytes({ container: 'webm', codec: 'vp8', width: 320, height: 240, timesMs: [0] })),
      'too_heavy',
    ),
    'a film of boundless boxes': frames(
      Buffer.concat([mp4.subarray(0, 32), ...Array.from({ length: 3000 }, () => box('moov'))]),
      'damaged',
    ),
    'a film of nested boxes': frames(Buffer.concat([mp4.subarray(0, 32), nested(2000)]), 'damaged'),
    'a Matroska of elements in elements': frames(nestedMatroska(webm), 'damaged', 'ok'),
    'a Matroska whose elements are larger than any disk': frames(boundlessMatroska(webm), 'damaged', 'ok'),
    'a WebM whose shape changes': frames(
      await filmBytes({ container: 'webm', codec: 'vp8', secondSize: { width: 48, height: 64 } }),
      'format_not_supported',
    ),
    'a film whose frames all begin at once': frames(
      patched(mp4, 'stts', (at, copy) => copy.writeUInt32BE(0, at + 12)),
      'ok',
    ),
    'a film whose frames are shown before they begin': frames(shuffledTimes(reordered), 'ok', 'damaged', 'too_long'),
    'a WebM whose times run backwards': frames(backwards(webm), 'ok'),
    'a film of 1000 frames a second': frames(await filmBytes({ timesMs: steady(400, 1000) }), 10),
    'a WebM of noise where its frames were': frames(noisyFrames(webm, 0, 1), 'damaged'),
    'a WebM of noise where every fifth frame was': frames(noisyFrames(webm, 3, 5), 'damaged'),
    'a WebM of noise where one frame was': frames(noisyFrames(webm, 7, 100), 25),
    'an MP4 of noise where its frames were': frames(noisyMedia(mp4), 'damaged'),
  };
  return Object.entries(files).map(([name, { bytes, expected }]) => ({ name, bytes, expected }));
}

/** Photos that lie, and rare ones. */
export function hostilePhotos(): HostileClip[] {
  const png = makePng({ width: 64, height: 48, colourAt: (x, y) => [x * 4, y * 5, 99, 255] });
  const jpeg = makeJpeg({ width: 64, height: 48, blockAt: (x, y) => [x * 20 + 30, y * 10 + 100, 128] });
  const frameless = pngChunk('fdAT', Buffer.alloc(200));
  const animation = Array.from({ length: 5000 }, () => Buffer.concat([pngChunk('fcTL', Buffer.alloc(26)), frameless]));
  const bomb = deflateSync(Buffer.alloc(40_000_000), { level: 1 });
  const withJpegSize = (width: number, height: number): Buffer => {
    const copy = Buffer.from(jpeg);
    const frame = copy.indexOf(Buffer.from([0xff, 0xc0]));
    copy.writeUInt16BE(height, frame + 5);
    copy.writeUInt16BE(width, frame + 7);
    return copy;
  };
  const withProcess = (marker: number, bits: number): Buffer => {
    const copy = Buffer.from(jpeg);
    const frame = copy.indexOf(Buffer.from([0xff, 0xc0]));
    copy[frame + 1] = marker;
    copy[frame + 4] = bits;
    return copy;
  };
  const files: Record<string, readonly [Buffer, ...(string | number)[]]> = {
    'a PNG of a signature only': [Buffer.concat([pngSignature, Buffer.alloc(4)]), 'damaged'],
    'a PNG cut off': [png.subarray(0, png.length - 40), 'damaged'],
    'a PNG of no size': [
      Buffer.concat([pngSignature, pngHeader(0, 0, 2), pngChunk('IDAT', bomb.subarray(0, 100)), pngChunk('IEND', Buffer.alloc(0))]),
      'damaged',
    ],
    'a PNG without a picture': [Buffer.concat([pngSignature, pngHeader(64, 64, 2), pngChunk('IEND', Buffer.alloc(0))]), 'damaged'],
    'a PNG of 16384 px': [makePng({ width: 16_384, height: 16_384, data: bomb.subarray(0, 1000) }), 'too_heavy'],
    'a PNG whose data are a thousand times its picture': [makePng({ width: 64, height: 64, data: bomb }), 'damaged', 1],
    'a PNG of 12 Mpx that is all noughts': [
      makePng({ width: 4000, height: 3000, data: deflateSync(Buffer.alloc(3000 * 12_001), { level: 1 }) }),
      1,
    ],
    'a PNG whose chunk is longer than the file': [
      Buffer.concat([png.subarray(0, 33), u32(0x7fff_ffff), text('IDAT'), Buffer.alloc(50)]),
      'damaged',
    ],
    'a PNG with a compressed text and profile': [
      makePng({
        width: 16,
        height: 16,
        chunks: [pngChunk('zTXt', Buffer.concat([text('a\0\0'), bomb])), pngChunk('iCCP', Buffer.concat([text('a\0\0'), bomb]))],
      }),
      1,
    ],
    'an animation of five thousand pictures': [
      makePng({ width: 16, height: 16, chunks: [pngChunk('acTL', u32(5000, 0)), ...animation] }),
      1,
    ],
    'a JPEG of a start only': [Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 16]), 'damaged'],
    'a JPEG cut off': [jpeg.subarray(0, jpeg.length - 20), 'damaged'],
    'a JPEG of 16384 px': [withJpegSize(16_384, 16_384), 'too_heavy'],
    'a JPEG of 65500 by 1': [withJpegSize(65_500, 1), 'too_heavy'],
    'a JPEG of no height': [withJpegSize(64, 0), 'damaged'],
    'a JPEG that claims more than it has': [withJpegSize(4000, 3000), 'damaged', 1],
    'a JPEG of 12 bits': [withProcess(0xc1, 12), 'format_not_supported'],
    'a lossless JPEG': [withProcess(0xc3, 8), 'format_not_supported'],
    'a JPEG of arithmetic codes': [withProcess(0xc9, 8), 'format_not_supported'],
    'a JPEG of ten thousand comments': [
      Buffer.concat([jpeg.subarray(0, 2), ...Array.from({ length: 10_000 }, () => segment(0xfe, Buffer.alloc(500))), jpeg.subarray(2)]),
      1,
    ],
    'a JPEG whose EXIF goes round in circles': [
      Buffer.concat([
        jpeg.subarray(0, 2),
        segment(0xe1, Buffer.concat([text('Exif\0\0II\x2a\0'), Buffer.from([8, 0, 0, 0, 255, 255]), Buffer.alloc(40)])),
        jpeg.subarray(2),
      ]),
      1,
    ],
    'a photo of 1 by 300 px': [makePng({ width: 1, height: 300 }), 1],
  };
  return Object.entries(files).map(([name, [bytes, ...expected]]) => ({ name, bytes, expected }));
}

async function soundOnly(container: 'mp4' | 'webm'): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'vt-made-clip-'));
  try {
    await makeSound({ path: join(folder, 'clip'), container, ms: 200 });
    return await readFile(join(folder, 'clip'));
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** In every header that has a duration. */
function tenHours(mp4: Buffer): Buffer {
  let bytes = patched(mp4, 'mvhd', (at, copy) => copy.writeUInt32BE(copy.readUInt32BE(at + 12) * 36_000, at + 16));
  bytes = patched(bytes, 'mdhd', (at, copy) => copy.writeUInt32BE(Math.min(0xffff_ffff, copy.readUInt32BE(at + 12) * 36_000), at + 16));
  bytes = patched(bytes, 'tkhd', (at, copy) => copy.writeUInt32BE(36_000_000, at + 20));
  return patched(bytes, 'elst', (at, copy) => copy.writeUInt32BE(36_000_000, at + 8));
}

function withoutSamples(mp4: Buffer): Buffer {
  let bytes = mp4;
  for (const table of ['stts', 'stsc', 'stco', 'ctts', 'stss'] as const) {
    if (bytes.includes(table)) bytes = replaced(bytes, table, box(table, u32(0, 0)));
  }
  return replaced(bytes, 'stsz', box('stsz', u32(0, 0, 0)));
}

/** Sizes of key frames (RFC 6386 section 9.1). */
function hugeVp8(webm: Buffer): Buffer {
  const copy = Buffer.from(webm);
  const start = Buffer.from([0x9d, 0x01, 0x2a]);
  for (let at = copy.indexOf(start); at >= 0; at = copy.indexOf(start, at + 3)) copy.writeUInt32LE(0x3fff_3fff, at + 3);
  return copy;
}

/** PixelWidth and PixelHeight (RFC 9559 section 5.1.4.1.28), of two bytes each. */
function hugeWebm(webm: Buffer): Buffer {
  const at = webm.indexOf(Buffer.from([0xb0, 0x82, 320 >> 8, 320 & 255, 0xba]));
  if (at < 0) throw new Error('the WebM writes its size in another way');
  const copy = Buffer.from(webm);
  copy.writeUInt16BE(16_384, at + 2);
  return copy;
}

function nested(depth: number): Buffer {
  let inner: Buffer = Buffer.alloc(0);
  for (let i = 0; i < depth; i += 1) inner = box(i % 2 === 0 ? 'trak' : 'moov', inner);
  return inner;
}

/** SimpleTags in SimpleTags. */
function nestedMatroska(webm: Buffer): Buffer {
  const head = webm.subarray(0, webm.indexOf(Buffer.from([0x18, 0x53, 0x80, 0x67])));
  let inner: Buffer = Buffer.alloc(0);
  for (let i = 0; i < 3000; i += 1) inner = element([0x67, 0xc8], inner);
  return Buffer.concat([head, element([0x18, 0x53, 0x80, 0x67], element([0x12, 0x54, 0xc3, 0x67], element([0x73, 0x73], inner)))]);
}

function element(id: readonly number[], content: Buffer): Buffer {
  const size = Buffer.alloc(8);
  size.writeBigUInt64BE(BigInt(content.length) | (1n << 56n));
  return Buffer.concat([Buffer.from(id), size, content]);
}

function boundlessMatroska(webm: Buffer): Buffer {
  const copy = Buffer.from(webm);
  const tracks = copy.indexOf(Buffer.from([0x16, 0x54, 0xae, 0x6b]));
  copy.set([0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe], tracks + 4);
  return copy;
}

/** Where each SimpleBlock's time is (RFC 9559 section 10.2). Finds them by their key: 0xa3, a size, track 1. */
function blocks(webm: Buffer): { time: number; from: number; to: number }[] {
  const found: { time: number; from: number; to: number }[] = [];
  let at = webm.indexOf(Buffer.from([0x1f, 0x43, 0xb6, 0x75]));
  for (at = webm.indexOf(0xa3, at); at >= 0 && at < webm.length - 8; at = webm.indexOf(0xa3, at + 1)) {
    const length = Math.clz32(webm[at + 1] ?? 0) - 23;
    const size = webm.subarray(at + 2, at + 1 + length).reduce((sum, byte) => sum * 256 + byte, (webm[at + 1] ?? 0) & (0xff >> length));
    const content = at + 1 + length;
    if (webm[content] !== 0x81 || content + size > webm.length || size < 8) continue;
    found.push({ time: content + 1, from: content + 4, to: content + size });
    at = content + size - 1;
  }
  return found;
}

function backwards(webm: Buffer): Buffer {
  const copy = Buffer.from(webm);
  blocks(copy).forEach(({ time }, i) => {
    copy.writeInt16BE(i % 2 === 0 ? i * 40 : -i * 40, time);
  });
  return copy;
}

function noisyFrames(webm: Buffer, first: number, step: number): Buffer {
  const copy = Buffer.from(webm);
  blocks(copy).forEach(({ from, to }, i) => {
    if (i >= first && (i - first) % step === 0) copy.fill(0x5a, from, to);
  });
  return copy;
}

function noisyMedia(mp4: Buffer): Buffer {
  return patched(mp4, 'mdat', (at, copy) => copy.fill(0xa7, at, at - 8 + copy.readUInt32BE(at - 8)));
}

/** Composition offsets far below nought, and wild. */
function shuffledTimes(mp4: Buffer): Buffer {
  return patched(mp4, 'ctts', (at, copy) => {
    const entries = copy.readUInt32BE(at + 4);
    for (let i = 0; i < entries; i += 1) copy.writeInt32BE(i % 3 === 0 ? -90_000 : i * 7, at + 8 + i * 8 + 4);
  });
}

/** Copies with up to 12 bytes changed, at places and to values that follow from the seed. */
export function mutations(bytes: Buffer, count: number, seed: number): Buffer[] {
  const random = seeded(seed);
  return Array.from({ length: count }, () => mutated(bytes, random));
}

function mutated(bytes: Buffer, random: Random): Buffer {
  const copy = Buffer.from(bytes);
  const changes = 1 + Math.floor(random() * 12);
  const wild = [0, 1, 0x7f, 0x80, 0xff];
  // Most of a film is pictures, most of what can go wrong is not: half of the changes go to its ends.
  const place = (): number => {
    const where = random();
    if (where < 0.25) return Math.floor(random() * Math.min(600, copy.length));
    if (where < 0.5) return copy.length - 1 - Math.floor(random() * Math.min(1500, copy.length));
    return Math.floor(random() * copy.length);
  };
  for (let i = 0; i < changes; i += 1)
    copy[place()] = random() < 0.5 ? Math.floor(random() * 256) : (wild[Math.floor(random() * wild.length)] ?? 0);
  return random() < 0.1 ? copy.subarray(0, place()) : copy;
}
