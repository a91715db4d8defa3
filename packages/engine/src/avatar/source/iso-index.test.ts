import { describe, expect, test } from 'vitest';
import { ClipRefused } from './clip.ts';
import { checkIndex } from './iso-index.ts';

function u32(...numbers: readonly number[]): Buffer {
  return Buffer.concat(
    numbers.map((value) => {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(value);
      return bytes;
    }),
  );
}

function box(type: string, ...content: readonly Uint8Array[]): Buffer {
  const inner = Buffer.concat(content);
  return Buffer.concat([u32(inner.length + 8), Buffer.from(type, 'latin1'), inner]);
}

/** The refusal's code; null when the index is sound. */
function verdict(file: Uint8Array): string | null {
  try {
    checkIndex((at, length) => file.subarray(at, at + length), file.length);
    return null;
  } catch (error) {
    if (error instanceof ClipRefused) return error.code;
    throw error;
  }
}

const moov = (...tables: readonly Uint8Array[]): Buffer =>
  Buffer.concat([box('ftyp', u32(0)), box('moov', box('trak', box('stbl', ...tables)))]);

describe('an index is sound', () => {
  test.each([
    ['of an hour of film', moov(box('stsz', u32(0, 0, 108_000)), box('stts', u32(0, 1, 108_000, 512)))],
    ['of many runs', moov(box('stts', u32(0, 3, 10, 1, 20, 2, 30, 3)))],
    ['whose table is cut off', moov(box('stts', u32(0, 0xffff_ffff, 1)))],
    ['and the media may hold anything', Buffer.concat([moov(), box('mdat', box('stsz', u32(0, 1, 0xffff_ffff)))])],
    ['and nothing follows a box of no size', Buffer.concat([box('ftyp'), u32(3), Buffer.from('stsz'), u32(0, 1, 0xffff_ffff)])],
  ])('%s', (_, file) => {
    expect(verdict(file)).toBeNull();
  });
});

describe('an index is refused', () => {
  test.each([
    ['samples of one size', moov(box('stsz', u32(0, 1, 0xffff_ffff)))],
    ['compact sizes', moov(box('stz2', u32(0, 4, 0xffff_ffff)))],
    ['several tracks that are too much together', moov(...Array.from({ length: 5 }, () => box('stsz', u32(0, 1, 1_000_000))))],
    ['one long run', moov(box('ctts', u32(0, 2, 1, 1, 0xffff_ffff, 1)))],
    ['a run in a fragment', Buffer.concat([moov(), box('moof', box('traf', box('trun', u32(0, 0xffff_ffff))))])],
    ['tables in a box that nobody knows', Buffer.concat([box('ftyp'), box('free', box('moov', box('stsz', u32(0, 1, 0xffff_ffff))))])],
    [
      'tables in a box of 64 bits',
      Buffer.concat([box('ftyp'), u32(1), Buffer.from('moov'), u32(0, 36), box('stsz', u32(0, 1, 0xffff_ffff))]),
    ],
    [
      'tables in a box to the end of the file',
      Buffer.concat([box('ftyp'), u32(0), Buffer.from('moov'), box('stsz', u32(0, 1, 0xffff_ffff))]),
    ],
    ['a thousand cuts', moov(box('elst', u32(0, 1000)))],
    ['a hundred thousand boxes and one', Buffer.concat(Array.from({ length: 100_001 }, () => box('free')))],
  ])('%s', (_, file) => {
    expect(verdict(file)).toBe('too_heavy');
  });

  test('compressed', () => {
    expect(verdict(Buffer.concat([box('ftyp'), box('moov', box('cmov', u32(1)))]))).toBe('format_not_supported');
  });
});
