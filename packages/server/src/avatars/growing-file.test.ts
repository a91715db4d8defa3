import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { emptyGrowth, type Growth, grow, settle } from './growing-file.ts';

/** A file in memory on a disk with room for so many bytes, which takes at most three bytes at a time. */
class TightFile {
  bytes = Buffer.alloc(0);
  syncFails = false;
  readonly #room: number;

  constructor(room: number) {
    this.#room = room;
  }

  readonly write = async (chunk: Uint8Array, range: { readonly offset: number; readonly length: number; readonly position: number }) => {
    const bytesWritten = Math.min(3, range.length, this.#room - range.position);
    if (bytesWritten <= 0) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
    this.bytes = Buffer.concat([this.bytes.subarray(0, range.position), chunk.subarray(range.offset, range.offset + bytesWritten)]);
    return { bytesWritten };
  };

  readonly truncate = async (length = 0) => {
    this.bytes = this.bytes.subarray(0, length);
  };

  readonly sync = async () => {
    if (this.syncFails) throw Object.assign(new Error('input/output error'), { code: 'EIO' });
  };
}

function hashed(growth: Growth): string | undefined {
  return growth.hash?.copy().digest('hex');
}

describe('a file that only grows', () => {
  test('takes a chunk whole, however little the disk takes at a time', async () => {
    const file = new TightFile(100);
    const growth = emptyGrowth();
    await grow(file, growth, Buffer.from('hello, '));
    await grow(file, growth, Buffer.from('world'));
    expect(file.bytes.toString()).toBe('hello, world');
    expect(growth.bytes).toBe(12);
    expect(hashed(growth)).toBe(createHash('sha256').update('hello, world').digest('hex'));
  });

  test('takes nothing of a chunk that does not fit', async () => {
    const file = new TightFile(10);
    const growth = emptyGrowth();
    await grow(file, growth, Buffer.from('hello, '));
    await expect(grow(file, growth, Buffer.from('world'))).rejects.toMatchObject({ code: 'ENOSPC' });
    expect(file.bytes.toString()).toBe('hello, ');
    expect(growth.bytes).toBe(7);
    expect(hashed(growth)).toBe(createHash('sha256').update('hello, ').digest('hex'));
  });

  test('goes back to what is safe when the disk cannot keep what it took', async () => {
    const file = new TightFile(100);
    const growth = emptyGrowth();
    await grow(file, growth, Buffer.from('hello, '));
    await settle(file, growth);
    await grow(file, growth, Buffer.from('world'));
    file.syncFails = true;
    await expect(settle(file, growth)).rejects.toMatchObject({ code: 'EIO' });
    expect(file.bytes.toString()).toBe('hello, ');
    expect(growth).toEqual({ bytes: 7, syncedBytes: 7, hash: null });
  });
});
