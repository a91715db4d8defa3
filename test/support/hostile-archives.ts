import { deflateSync } from 'node:zlib';
import type { HostileClip } from './hostile-clips.ts';
import { type LegacyParts, latentsNamed, legacyFiles, packedArchive, savedLatents, storedZip } from './legacy-avatar.ts';
import { makePng, pngChunk, pngHeader, pngSignature } from './made-photos.ts';

const frame = makePng({ width: 64, height: 48 });
const frames = [frame, frame, frame];

function archive(parts: Partial<LegacyParts>, files: Readonly<Record<string, Uint8Array>> = {}): Buffer {
  return packedArchive({ ...legacyFiles({ frames, ...parts }), ...files });
}

function claiming(width: number, height: number): Buffer {
  const data = pngChunk('IDAT', deflateSync(Buffer.alloc(1_000_000)));
  return Buffer.concat([pngSignature, pngHeader(width, height, 2), data, pngChunk('IEND', Buffer.alloc(0))]);
}

const anyObject = Buffer.from('gASVJQAAAAAAAABdlIwFcG9zaXiUjAZzeXN0ZW2Uk5SMB2VjaG8gaGmUhZRSlGEu', 'base64');
const marks = Buffer.alloc(16 * 1024 * 1024, '(');

/** Archives of the predecessor's folders that are not what it wrote. */
export function hostileArchives(): HostileClip[] {
  const whole = archive({});
  const damaged = ['damaged'] as const;
  return [
    { name: 'three frames as they should be', bytes: whole, expected: [3] },
    { name: 'an archive that is cut off', bytes: whole.subarray(0, whole.length - 700), expected: damaged },
    { name: 'an archive that goes on', bytes: Buffer.concat([whole, whole]), expected: damaged },
    { name: 'a frame too few', bytes: archive({ boxes: new Array(4).fill([1, 2, 3, 4]) }), expected: damaged },
    { name: 'a latent too few', bytes: archive({ latents: [latentsNamed(0)] }), expected: damaged },
    { name: 'boxes that call a function', bytes: archive({}, { 'coords.pkl': anyObject }), expected: damaged },
    {
      name: 'latents that call a function',
      bytes: archive({}, { 'latents.pt': storedZip({ 'a/data.pkl': anyObject }) }),
      expected: damaged,
    },
    { name: 'compressed latents', bytes: archive({}, { 'latents.pt': storedZip({ 'a/data.pkl': anyObject }, 8) }), expected: damaged },
    { name: 'boxes of nothing but marks', bytes: archive({}, { 'coords.pkl': marks }), expected: damaged },
    { name: 'boxes without end', bytes: archive({}, { 'coords.pkl': Buffer.alloc(17 * 1024 * 1024) }), expected: ['too_heavy'] },
    {
      name: 'latents of nothing but marks',
      bytes: archive({}, { 'latents.pt': storedZip({ 'a/data.pkl': marks }) }),
      expected: damaged,
    },
    { name: 'latents for boxes', bytes: archive({}, { 'coords.pkl': savedLatents([]) }), expected: damaged },
    { name: 'a frame of 16k x 16k', bytes: archive({ frames: [frame, claiming(16_384, 16_384), frame] }), expected: ['too_heavy'] },
    { name: 'a first frame of 16k x 16k', bytes: archive({ frames: [claiming(16_384, 16_384)] }), expected: ['too_heavy'] },
    // FFmpeg leaves blank what is not there.
    { name: 'frames that are shorter than they say', bytes: archive({ frames: [claiming(2_000, 2_000)] }), expected: ['damaged', 1] },
    { name: 'a frame that is no picture', bytes: archive({ frames: [frame, Buffer.from('GIF89a'), frame] }), expected: damaged },
    { name: 'a frame that is a film', bytes: archive({ frames: [frame, Buffer.from('\0\0\0\x18ftypisom\0\0\0\0')] }), expected: damaged },
    { name: 'an archive as a frame', bytes: archive({ frames: [whole] }), expected: damaged },
    {
      name: 'a frame of another shape',
      bytes: archive({ frames: [frame, makePng({ width: 48, height: 64 })] }),
      expected: ['format_not_supported'],
    },
  ];
}
