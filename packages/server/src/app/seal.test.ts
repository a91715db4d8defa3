import { Seal } from '@virtual-tutor/schemas';
import { describe, expect, test } from 'vitest';
import { inclusionPath, leafHash, merkleRoot } from './merkle.ts';
import { canonicalSeal, followSeal, followSeals, isIncluded, rootStatement, sealEvents, sealHash, sealKey, sealKeyOf } from './seal.ts';

const logId = '0197f0c2-6c0e-7cc0-8d44-0d8f0a2b6a11';
const [key, next] = [sealKeyOf(Buffer.alloc(32, 1)), sealKeyOf(Buffer.alloc(32, 2))];
const sealedAt = '2026-01-01T00:00:00.000Z';
const hashes = Array.from({ length: 7 }, (_, index) => Buffer.alloc(32, index + 1));
const leaves = hashes.map((hash, index) => leafHash(index + 1, hash));

function chainOf(seals: readonly Seal[]) {
  return followSeals(seals).chain ?? expect.fail('no chain');
}

/** Root, events 1 to 7, another key, events 8 to 9 by that one. */
function history(): readonly [Seal, Seal, Seal, Seal] {
  const root = rootStatement(logId, { key, sealedAt });
  const events = sealEvents(chainOf([root]), { last: 7, merkleRoot: merkleRoot(leaves) }, { key, sealedAt });
  const handover = sealKey(chainOf([root, events]), next.publicKey, { key, sealedAt });
  const later = sealEvents(chainOf([root, events, handover]), { last: 9, merkleRoot: Buffer.alloc(32) }, { key: next, sealedAt });
  return [root, events, handover, later];
}

describe('a key for seals', () => {
  // RFC 8032 section 7.1, test 1.
  test('is the Ed25519 key of its 32 bytes', () => {
    const seed = Buffer.from('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'hex');
    expect(sealKeyOf(seed).publicKey).toBe('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a');
  });
});

describe('a chain of seals', () => {
  test('is followed from its root statement, over a change of keys', () => {
    const seals = history();
    const [root] = seals;
    expect(followSeals(seals)).toEqual({
      chain: { logId, fingerprint: sealHash(root), sealNo: 3, hash: sealHash(seals[3]), last: 9, publicKey: next.publicKey },
      fault: null,
    });
  });

  test('is the same after a journey as canonical JSON', () => {
    const seals = history();
    expect(seals.map((seal) => Seal.parse(JSON.parse(canonicalSeal(seal))))).toEqual(seals);
  });

  test.each(['logId', 'sealedAt', 'first', 'last', 'merkleRoot', 'previous', 'signature'])('is broken by another %s', (field) => {
    const [root, events] = history();
    const changed: Readonly<Record<string, unknown>> = {
      logId: '0197f0c2-6c0e-7cc0-8d44-0d8f0a2b6a12',
      sealedAt: '2026-01-01T00:00:00.001Z',
      first: 2,
      last: 8,
      merkleRoot: '0'.repeat(64),
      previous: '0'.repeat(64),
      signature: '0'.repeat(128),
    };
    const altered = Seal.parse({ ...events, [field]: changed[field] });
    expect(followSeals([root, altered]).fault).toMatchObject({ code: 'seal_forged', sealNo: 1 });
  });

  test('without one of its seals names the first that is missing, and its events', () => {
    const [root, events, handover, later] = history();
    expect(followSeals([events]).fault).toMatchObject({ code: 'seal_missing', sealNo: 0 });
    expect(followSeals([root, handover]).fault).toMatchObject({ code: 'seal_missing', sealNo: 1, ordinal: null });
    expect(followSeals([root, later]).fault).toMatchObject({ code: 'seal_missing', sealNo: 1, ordinal: 1, lastOrdinal: 7 });
    expect(followSeals([root, events, events]).fault).toMatchObject({ code: 'seal_missing', sealNo: 2 });
  });

  test('takes no key that was not handed over to, nor the old one afterwards', () => {
    const [root, events, handover] = history();
    const foreign = sealEvents(chainOf([root]), { last: 7, merkleRoot: merkleRoot(leaves) }, { key: next, sealedAt });
    expect(followSeals([root, foreign]).fault).toMatchObject({ code: 'key_replaced', sealNo: 1, ordinal: 1, lastOrdinal: 7 });
    const late = sealEvents(chainOf([root, events, handover]), { last: 9, merkleRoot: Buffer.alloc(32) }, { key, sealedAt });
    expect(followSeals([root, events, handover, late]).fault).toMatchObject({ code: 'key_replaced', sealNo: 3 });
  });

  test('is of one log, and its ranges touch, even where its own key signed otherwise', () => {
    const [root] = history();
    const chain = chainOf([root]);
    const moment = { key, sealedAt };
    const events = { last: 9, merkleRoot: Buffer.alloc(32) };
    const otherLog = sealEvents({ ...chain, logId: '0197f0c2-6c0e-7cc0-8d44-0d8f0a2b6a12' }, events, moment);
    const otherPast = sealEvents({ ...chain, hash: '0'.repeat(64) }, events, moment);
    const gap = sealEvents({ ...chain, last: 2 }, events, moment);
    for (const seal of [otherLog, otherPast, gap])
      expect(followSeal(chain, seal)).toMatchObject({ fault: { code: 'two_histories', sealNo: 1 } });
  });

  test('begins with a statement that its own key signed', () => {
    const root = rootStatement(logId, { key, sealedAt });
    expect(followSeals([{ ...root, publicKey: next.publicKey, keyId: next.keyId }]).fault).toMatchObject({
      code: 'seal_forged',
      sealNo: 0,
    });
    expect(followSeals([{ ...root, publicKey: next.publicKey }]).fault).toMatchObject({ code: 'seal_forged', sealNo: 0 });
  });
});

describe('a proof that an event is under a seal', () => {
  const [, seal] = history();
  const path = inclusionPath(leaves, 4).map((sibling) => sibling.toString('hex'));
  const proof = { sealNo: 1, ordinal: 5, path };
  const own = hashes[4]?.toString('hex') ?? '';

  test('holds for that event, at that place, under that seal alone', () => {
    if (seal.kind !== 'events') expect.fail();
    expect(isIncluded(own, proof, seal)).toBe(true);
    expect(isIncluded(hashes[3]?.toString('hex') ?? '', proof, seal)).toBe(false);
    expect(isIncluded(own, { ...proof, ordinal: 4 }, seal)).toBe(false);
    expect(isIncluded(own, { ...proof, ordinal: 12 }, seal)).toBe(false);
    expect(isIncluded(own, { ...proof, sealNo: 2 }, seal)).toBe(false);
    expect(isIncluded(own, { ...proof, path: path.slice(1) }, seal)).toBe(false);
  });
});
