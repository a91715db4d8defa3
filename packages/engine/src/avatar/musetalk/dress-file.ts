import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { writeDurably } from '../artifact/durable-file.ts';
import type { AvatarManifest } from '../artifact/manifest.ts';
import type { Dress, DressedFrame } from './dress.ts';
import type { PixelBox } from './face-box.ts';
import { maskOf } from './mouth-patch.ts';

/*
 * `musetalk.bin` beside an avatar's artifacts: what MuseTalk made of them. Not an artifact itself: it follows from them and the models, and is made
 * anew when either changes. Length of the header (uint32), header (JSON), then latents (float32) and luma mask of each frame that has them.
 */

const fileName = 'musetalk.bin';
const version = 1;
const latentCount = 8 * 32 * 32;
const lengthBytes = 4;

const Box = z.tuple([z.number().int(), z.number().int(), z.number().int(), z.number().int()]);
const Header = z.strictObject({
  version: z.literal(version),
  /** Of what it was made of. */
  madeOf: z.string(),
  /** Of all that follows the header. */
  sha256: z.string(),
  /** Left, top, right, bottom, px. */
  frames: z.array(z.strictObject({ box: Box, part: Box }).nullable()),
});

/** SHA-256, hex: changes with the avatar's files, with the models, and with how one is made of the other. */
export function madeOf({ artifacts }: Pick<AvatarManifest, 'artifacts'>, models: string): string {
  return createHash('sha256').update(JSON.stringify({ version, models, artifacts })).digest('hex');
}

export async function writeDress(folder: string, { made, frames }: { readonly made: string; readonly frames: Dress }): Promise<void> {
  const body = Buffer.concat(frames.flatMap((frame) => (frame === null ? [] : [littleEndian(frame.latents), frame.mask.luma])));
  const header = Buffer.from(
    JSON.stringify({
      version,
      madeOf: made,
      sha256: createHash('sha256').update(body).digest('hex'),
      frames: frames.map((frame) => frame && { box: sides(frame.mask.box), part: sides(frame.mask.part) }),
    } satisfies z.infer<typeof Header>),
  );
  const length = Buffer.alloc(lengthBytes);
  length.writeUInt32LE(header.length);
  await writeDurably(join(folder, fileName), Buffer.concat([length, header, body]));
}

/** Null: there is none, or one of something else. */
export async function readDress(folder: string, made: string): Promise<Dress | null> {
  const file = await readFile(join(folder, fileName)).catch(() => null);
  if (file === null || file.length < lengthBytes) return null;
  const end = lengthBytes + file.readUInt32LE();
  const header = headerOf(file.subarray(lengthBytes, end));
  const body = file.subarray(end);
  if (header?.madeOf !== made || createHash('sha256').update(body).digest('hex') !== header.sha256) return null;
  let at = 0;
  return header.frames.map((frame): DressedFrame | null => {
    if (frame === null) return null;
    const [box, part] = [boxOf(frame.box), boxOf(frame.part)];
    const latents = floats(body.subarray(at, at + 4 * latentCount));
    at += 4 * latentCount;
    const pixels = (part.right - part.left) * (part.bottom - part.top);
    const luma = Uint8Array.from(body.subarray(at, at + pixels));
    at += pixels;
    return { latents, mask: maskOf({ box, part, luma }) };
  });
}

function headerOf(bytes: Uint8Array): z.infer<typeof Header> | null {
  try {
    return Header.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch {
    return null;
  }
}

function littleEndian(values: Float32Array): Uint8Array {
  const view = new DataView(new ArrayBuffer(4 * values.length));
  for (const [i, value] of values.entries()) view.setFloat32(4 * i, value, true);
  return new Uint8Array(view.buffer);
}

function floats(bytes: Uint8Array): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float32Array.from({ length: bytes.length / 4 }, (_, i) => view.getFloat32(4 * i, true));
}

function sides({ left, top, right, bottom }: PixelBox): z.infer<typeof Box> {
  return [left, top, right, bottom];
}

function boxOf([left, top, right, bottom]: z.infer<typeof Box>): PixelBox {
  return { left, top, right, bottom };
}
