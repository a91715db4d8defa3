import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';

/** Small enough that hashing one piece, under a millisecond, holds up nothing else. */
const pieceBytes = 256 * 1024;

/** SHA-256 and length of a file; with `keep`, its bytes too. */
export async function readHashed(
  path: string,
  keep: boolean,
): Promise<{ readonly sha256: string; readonly bytes: number; readonly data: Uint8Array }> {
  await using file = await open(path);
  const { size } = await file.stat();
  const data = Buffer.allocUnsafeSlow(keep ? size : 0);
  const piece = Buffer.allocUnsafeSlow(pieceBytes);
  const hash = createHash('sha256');
  let bytes = 0;
  while (bytes < size) {
    const { bytesRead } = await file.read(piece, 0, Math.min(pieceBytes, size - bytes), bytes);
    if (bytesRead === 0) break;
    hash.update(piece.subarray(0, bytesRead));
    if (keep) piece.copy(data, bytes, 0, bytesRead);
    bytes += bytesRead;
  }
  return { sha256: hash.digest('hex'), bytes, data };
}
