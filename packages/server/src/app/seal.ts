import { createPrivateKey, createPublicKey, hash, type KeyObject, sign, verify } from 'node:crypto';
import {
  EventsSeal,
  type InclusionProof,
  KeySeal,
  type LogFault,
  type LogFaultCode,
  RootStatement,
  type Seal,
} from '@virtual-tutor/schemas';
import canonicalize from 'canonicalize';
import { leafHash, rootOfPath } from './merkle.ts';

/* Making and following seals. The format is told in `schemas/seal.ts`; nothing here reads or writes anything. */

/** RFC 8410 section 7: what comes before the 32 bytes of an Ed25519 key in its DER forms. */
const privatePrefix = Buffer.from('302e020100300506032b657004220420', 'hex');
const publicPrefix = Buffer.from('302a300506032b6570032100', 'hex');

export interface SealKey {
  readonly privateKey: KeyObject;
  /** Hex, 32 bytes. */
  readonly publicKey: string;
  readonly keyId: string;
}

/** `seed`: the 32 bytes that an Ed25519 private key is. */
export function sealKeyOf(seed: Uint8Array): SealKey {
  const privateKey = createPrivateKey({ key: Buffer.concat([privatePrefix, seed]), format: 'der', type: 'pkcs8' });
  const publicKey = createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(publicPrefix.length).toString('hex');
  return { privateKey, publicKey, keyId: keyIdOf(publicKey) };
}

export function keyIdOf(publicKey: string): string {
  return hash('sha256', Buffer.from(publicKey, 'hex'), 'hex');
}

/** The bytes of a seal as they are kept and exported. */
export function canonicalSeal(seal: Seal): string {
  return canonical(seal);
}

/** What the next seal names as `previous`; of the root statement: the log's fingerprint. */
export function sealHash(seal: Seal): string {
  return hash('sha256', canonical(seal), 'hex');
}

function canonical(value: object): string {
  const text = canonicalize(value);
  if (text === undefined) throw new Error('a seal always has a form in JSON');
  return text;
}

function signatureOf(unsigned: object, { privateKey }: SealKey): string {
  return sign(null, Buffer.from(canonical(unsigned)), privateKey).toString('hex');
}

function isSigned({ signature, ...unsigned }: Seal, publicKey: string): boolean {
  const key = createPublicKey({ key: Buffer.concat([publicPrefix, Buffer.from(publicKey, 'hex')]), format: 'der', type: 'spki' });
  return verify(null, Buffer.from(canonical(unsigned)), key, Buffer.from(signature, 'hex'));
}

/** Where a chain of seals has come to. */
export interface SealChain {
  readonly logId: string;
  /** Seal hash of the root statement. */
  readonly fingerprint: string;
  /** Of the newest seal. */
  readonly sealNo: number;
  readonly hash: string;
  /** Events up to this ordinal are sealed. */
  readonly last: number;
  /** Who signs the next one. */
  readonly publicKey: string;
}

interface Moment {
  readonly key: SealKey;
  /** ISO 8601 with ms. */
  readonly sealedAt: string;
}

export function rootStatement(logId: string, { key, sealedAt }: Moment): RootStatement {
  const unsigned = {
    ...({ kind: 'root', version: 1, logId, sealNo: 0, previous: null } as const),
    ...{ sealedAt, keyId: key.keyId, publicKey: key.publicKey },
  };
  return RootStatement.parse({ ...unsigned, signature: signatureOf(unsigned, key) });
}

/** The events after the last that is sealed, up to `last`. */
export function sealEvents(
  chain: SealChain,
  events: { readonly last: number; readonly merkleRoot: Uint8Array },
  moment: Moment,
): EventsSeal {
  const merkleRoot = Buffer.from(events.merkleRoot).toString('hex');
  const unsigned = { kind: 'events', ...following(chain, moment), first: chain.last + 1, last: events.last, merkleRoot };
  return EventsSeal.parse({ ...unsigned, signature: signatureOf(unsigned, moment.key) });
}

/** Hands over to another key. */
export function sealKey(chain: SealChain, nextPublicKey: string, moment: Moment): KeySeal {
  const unsigned = { kind: 'key', ...following(chain, moment), publicKey: nextPublicKey };
  return KeySeal.parse({ ...unsigned, signature: signatureOf(unsigned, moment.key) });
}

function following({ logId, sealNo, hash: previous }: SealChain, { key, sealedAt }: Moment) {
  return { version: 1, logId, sealNo: sealNo + 1, previous, sealedAt, keyId: key.keyId };
}

export type Followed = { readonly chain: SealChain } | { readonly fault: LogFault };

/** One seal further; `chain` is null before the root statement. A seal that does not follow is a fault, told from the seal alone. */
export function followSeal(chain: SealChain | null, seal: Seal): Followed {
  if (chain === null) return openChain(seal);
  const expected = chain.sealNo + 1;
  if (seal.kind === 'root' || seal.sealNo !== expected) {
    const range = seal.kind === 'events' && seal.first > chain.last + 1 ? { ordinal: chain.last + 1, lastOrdinal: seal.first - 1 } : {};
    const reason = `seal ${expected} is missing: number ${seal.sealNo} stands in its place`;
    return fault('seal_missing', { sealNo: expected, ...range, reason });
  }
  const concerned = { sealNo: expected, ...rangeOf(seal) };
  const signer = keyIdOf(chain.publicKey);
  if (seal.keyId !== signer)
    return fault('key_replaced', { ...concerned, reason: `seal ${expected} names a key that no seal before it handed over to` });
  if (!isSigned(seal, chain.publicKey))
    return fault('seal_forged', { ...concerned, reason: `seal ${expected} was altered or forged: its signature is not of its key` });
  if (seal.logId !== chain.logId || seal.previous !== chain.hash)
    return fault('two_histories', { ...concerned, reason: `seal ${expected} is signed, and follows another seal than the one before it` });
  if (seal.kind === 'key') return { chain: { ...chain, sealNo: expected, hash: sealHash(seal), publicKey: seal.publicKey } };
  if (seal.first !== chain.last + 1 || seal.last < seal.first)
    return fault('two_histories', { ...concerned, reason: `seal ${expected} does not begin where the one before it ended` });
  return { chain: { ...chain, sealNo: expected, hash: sealHash(seal), last: seal.last } };
}

function openChain(seal: Seal): Followed {
  if (seal.kind !== 'root') return fault('seal_missing', { sealNo: 0, reason: 'the root statement (seal 0) is missing' });
  if (seal.keyId !== keyIdOf(seal.publicKey) || !isSigned(seal, seal.publicKey))
    return fault('seal_forged', {
      sealNo: 0,
      reason: 'the root statement (seal 0) was altered or forged: its signature is not of its key',
    });
  const own = sealHash(seal);
  return { chain: { logId: seal.logId, fingerprint: own, sealNo: 0, hash: own, last: 0, publicKey: seal.publicKey } };
}

function rangeOf(seal: Seal): Partial<LogFault> {
  return seal.kind === 'events' ? { ordinal: seal.first, lastOrdinal: seal.last } : {};
}

const nowhere = { ordinal: null, lastOrdinal: null, position: null, stream: null, revision: null, sealNo: null };

export function faultOf(code: LogFaultCode, about: Partial<LogFault> & Pick<LogFault, 'reason'>): LogFault {
  return { ...nowhere, code, ...about };
}

function fault(code: LogFaultCode, about: Partial<LogFault> & Pick<LogFault, 'reason'>): Followed {
  return { fault: faultOf(code, about) };
}

/** Follows a whole chain from its root statement. */
export function followSeals(seals: Iterable<Seal>): { readonly chain: SealChain | null; readonly fault: LogFault | null } {
  let chain: SealChain | null = null;
  for (const seal of seals) {
    const followed = followSeal(chain, seal);
    if ('fault' in followed) return { chain, fault: followed.fault };
    chain = followed.chain;
  }
  return { chain, fault: null };
}

/** Whether an event with this chain hash (hex) is under the seal. The seal itself is to be followed from its root statement. */
export function isIncluded(eventHash: string, proof: InclusionProof, seal: EventsSeal): boolean {
  if (proof.sealNo !== seal.sealNo || proof.ordinal < seal.first || proof.ordinal > seal.last) return false;
  const root = rootOfPath({
    leaf: leafHash(proof.ordinal, Buffer.from(eventHash, 'hex')),
    index: proof.ordinal - seal.first,
    size: seal.last - seal.first + 1,
    path: proof.path.map((sibling) => Buffer.from(sibling, 'hex')),
  });
  return root?.toString('hex') === seal.merkleRoot;
}
