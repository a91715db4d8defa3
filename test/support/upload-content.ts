import type { UploadLimits } from '../../packages/server/src/avatars/upload-store.ts';
import { seeded } from './seeded.ts';

/** Bytes in which no piece is like another, the same for the same length. */
export function uploadContent(length: number): Uint8Array {
  const random = seeded(length);
  const content = new Uint8Array(length);
  for (let at = 0; at < length; at += 1) content[at] = random() * 256;
  return content;
}

export const uploadLimits: UploadLimits = {
  maxUploadBytes: 100_000_000,
  quotaBytes: 100_000_000,
  keepFreeBytes: 0,
  silentAfterMs: 20_000,
};
