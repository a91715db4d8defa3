import { hash } from 'node:crypto';

/*
 * Merkle trees as in RFC 6962 section 2.1, over the events of one seal. A leaf holds the event's ordinal and its chain hash: a
 * tree with the same events in another order, or at other places of the log, has another root.
 */

const hashBytes = 32;

/** By way of a string: half the time of asking for a buffer at once (Node 24, 2026-11-24: 0.35 against 0.74 µs for 65 bytes). */
function sha256(bytes: Uint8Array): Buffer {
  return Buffer.from(hash('sha256', bytes, 'binary'), 'latin1');
}

export function leafHash(ordinal: number, chainHash: Uint8Array): Buffer {
  const leaf = Buffer.alloc(9 + chainHash.length);
  leaf.writeBigInt64BE(BigInt(ordinal), 1);
  leaf.set(chainHash, 9);
  return sha256(leaf);
}

function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  const node = Buffer.allocUnsafe(1 + 2 * hashBytes);
  node[0] = 1;
  node.set(left, 1);
  node.set(right, 1 + hashBytes);
  return sha256(node);
}

/** Grows leaf by leaf, and holds one hash for each of its perfect subtrees: memory is logarithmic. */
export class MerkleTree {
  /** Sizes fall strictly, as the ones in the binary form of `#size`. */
  readonly #subtrees: Buffer[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(leaf: Buffer): void {
    let node = leaf;
    for (let full = this.#size; full % 2 === 1; full = Math.floor(full / 2)) {
      node = nodeHash(this.#subtrees.pop() ?? node, node);
    }
    this.#subtrees.push(node);
    this.#size += 1;
  }

  /** Throws for a tree without leaves, which no seal has. */
  root(): Buffer {
    return this.#subtrees.reduceRight((right, left) => nodeHash(left, right));
  }
}

export function merkleRoot(leaves: readonly Buffer[]): Buffer {
  const tree = new MerkleTree();
  for (const leaf of leaves) tree.add(leaf);
  return tree.root();
}

/** Largest power of two below `size`, which is 2 or more. */
function leftSize(size: number): number {
  let left = 1;
  while (left * 2 < size) left *= 2;
  return left;
}

/** Sibling hashes from the leaf at `index` to the root. */
export function inclusionPath(leaves: readonly Buffer[], index: number): readonly Buffer[] {
  if (leaves.length <= 1) return [];
  const split = leftSize(leaves.length);
  const [left, right] = [leaves.slice(0, split), leaves.slice(split)];
  return index < split ? [...inclusionPath(left, index), merkleRoot(right)] : [...inclusionPath(right, index - split), merkleRoot(left)];
}

export interface PathToRoot {
  readonly leaf: Uint8Array;
  /** From 0. */
  readonly index: number;
  /** Leaves of the tree. */
  readonly size: number;
  readonly path: readonly Uint8Array[];
}

/** The root that the path leads to; null where it cannot be one of such a tree (RFC 9162 section 2.1.3.2). */
export function rootOfPath({ leaf, index, size, path }: PathToRoot): Buffer | null {
  if (index < 0 || index >= size) return null;
  let [place, last] = [index, size - 1];
  let node: Buffer = Buffer.from(leaf);
  for (const sibling of path) {
    if (last === 0) return null;
    if (place % 2 === 1 || place === last) {
      node = nodeHash(sibling, node);
      while (place % 2 === 0 && place !== 0) [place, last] = [place / 2, Math.floor(last / 2)];
    } else {
      node = nodeHash(node, sibling);
    }
    [place, last] = [Math.floor(place / 2), Math.floor(last / 2)];
  }
  return last === 0 ? node : null;
}
