import { createHash } from 'node:crypto';
import type { ClipBytes } from '../avatars/clip-bytes.ts';
import type { EngineClient } from './engine-client.ts';
import { ProgressLine } from './progress-line.ts';
import { UsageError } from './usage-error.ts';

/** To this machine's own engine: a connection that breaks means that it went away, and is not waited for. */
export async function sendClip(client: EngineClient, clip: ClipBytes, uploadId: string): Promise<string> {
  const { bytes } = clip;
  const { maxChunkBytes } = await client.avatars.beginUpload.mutate({ uploadId, bytes });
  const line = new ProgressLine(process.stderr);
  const hash = createHash('sha256');
  let offset = 0;
  try {
    for await (const chunk of inChunks(clip.pieces(), maxChunkBytes)) {
      hash.update(chunk);
      const headers = { 'x-vt-upload-id': uploadId, 'x-vt-upload-offset': String(offset) };
      ({ offset } = await client.avatars.upload.mutate(chunk, { context: { headers } }));
      line.show(`sent ${Math.floor((100 * offset) / bytes)} %`);
    }
  } finally {
    line.end();
  }
  if (offset < bytes) throw new UsageError('this file became shorter while it was sent: send it again when nothing writes to it');
  return hash.digest('hex');
}

/** Pieces of any length as chunks of one, but for the last. */
async function* inChunks(pieces: AsyncIterable<Uint8Array>, chunkBytes: number): AsyncGenerator<Uint8Array, void, undefined> {
  const chunk = new Uint8Array(chunkBytes);
  let filled = 0;
  for await (const piece of pieces) {
    for (let from = 0; from < piece.length; ) {
      const taken = piece.subarray(from, from + chunkBytes - filled);
      chunk.set(taken, filled);
      filled += taken.length;
      from += taken.length;
      if (filled < chunkBytes) continue;
      yield chunk.slice();
      filled = 0;
    }
  }
  if (filled > 0) yield chunk.slice(0, filled);
}
