import { hash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { inclusionPath, leafHash, MerkleTree, merkleRoot, rootOfPath } from './merkle.ts';

const sha256 = (...parts: readonly Uint8Array[]) => hash('sha256', Buffer.concat(parts), 'buffer');
const leaves = (count: number) => Array.from({ length: count }, (_, index) => leafHash(index + 1, sha256(Buffer.from([index]))));

/** As RFC 6962 section 2.1 writes it down. */
function rfcRoot(list: readonly Buffer[]): Buffer {
  const [only] = list;
  if (list.length === 1 && only !== undefined) return only;
  let k = 1;
  while (k * 2 < list.length) k *= 2;
  return sha256(Buffer.of(1), rfcRoot(list.slice(0, k)), rfcRoot(list.slice(k)));
}

describe('a Merkle tree', () => {
  test('has leaves of ordinal and hash', () => {
    const chained = Buffer.alloc(32, 0xab);
    expect(leafHash(258, chained)).toEqual(sha256(Buffer.from('000000000000000102', 'hex'), chained));
  });

  test('has the root of RFC 6962 at every size', () => {
    for (let size = 1; size <= 70; size += 1) expect(merkleRoot(leaves(size))).toEqual(rfcRoot(leaves(size)));
  });

  test('grows: its root after each leaf is that of a tree of so many', () => {
    const tree = new MerkleTree();
    for (const [index, leaf] of leaves(33).entries()) {
      tree.add(leaf);
      expect([tree.size, tree.root()]).toEqual([index + 1, rfcRoot(leaves(index + 1))]);
    }
  });

  test('proves each of its leaves, and no other at that place', () => {
    for (let size = 1; size <= 34; size += 1) {
      const all = leaves(size);
      for (const [index, leaf] of all.entries()) {
        const path = inclusionPath(all, index);
        expect(rootOfPath({ leaf, index, size, path })).toEqual(merkleRoot(all));
        for (const other of [index - 1, index + 1]) {
          const root = rootOfPath({ leaf, index: other, size, path });
          expect(root === null || !root.equals(merkleRoot(all))).toBe(true);
        }
      }
    }
  });

  test('is not fooled by a path that is longer, shorter or altered', () => {
    const shape = fc
      .integer({ min: 2, max: 60 })
      .chain((size) => fc.tuple(fc.constant(size), fc.nat({ max: size - 1 }), fc.nat(), fc.nat()));
    fc.assert(
      fc.property(shape, ([size, index, step, how]) => {
        const all = leaves(size);
        const path = [...inclusionPath(all, index)];
        const at = step % path.length;
        const altered = [
          path.toSpliced(at, 1),
          path.toSpliced(at, 0, Buffer.alloc(32)),
          path.with(at, sha256(path[at] ?? Buffer.alloc(0))),
        ];
        const leaf = all[index] ?? Buffer.alloc(32);
        const root = rootOfPath({ leaf, index, size, path: altered[how % altered.length] ?? [] });
        expect(root === null || !root.equals(merkleRoot(all))).toBe(true);
      }),
    );
  });
});
