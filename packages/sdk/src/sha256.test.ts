import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Sha256 } from './sha256.ts';

function hashOf(...pieces: readonly Uint8Array[]): string {
  const hash = new Sha256();
  for (const piece of pieces) hash.update(piece);
  return hash.digest();
}

const ascii = (text: string) => new TextEncoder().encode(text);

test.each([
  // FIPS 180-2 appendix B.1 and B.2, and the hash of nothing.
  ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
  ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
  ['abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq', '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1'],
])('the hash of %j is the published one', (text, published) => {
  expect(hashOf(ascii(text))).toBe(published);
});

test('every length around a block is padded right', () => {
  for (let length = 0; length <= 200; length += 1) {
    const bytes = new Uint8Array(length).fill(length);
    expect(hashOf(bytes), `${length} bytes`).toBe(createHash('sha256').update(bytes).digest('hex'));
  }
});

test('however the bytes are cut, and wherever in their buffer they lie, the hash is that of the whole', () => {
  void fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 6 }), fc.nat(70), (pieces, shift) => {
      const moved = pieces.map((piece) => {
        const buffer = new Uint8Array(piece.length + shift);
        buffer.set(piece, shift);
        return buffer.subarray(shift);
      });
      expect(hashOf(...moved)).toBe(createHash('sha256').update(Buffer.concat(pieces)).digest('hex'));
    }),
  );
});

// Two seconds of arithmetic.
test.runIf(process.env['LONG'] === '1')('more bits than 32 bits can count are counted', () => {
  const pieces = Array.from({ length: 65 }, (_, at) => new Uint8Array(8 * 2 ** 20).fill(at));
  const real = createHash('sha256');
  for (const piece of pieces) real.update(piece);
  expect(hashOf(...pieces)).toBe(real.digest('hex'));
});
