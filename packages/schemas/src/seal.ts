import { z } from 'zod';
import { Sha256 } from './ids.ts';

/*
 * Seals: signed statements about the log that leave the database. All of it is made of SHA-256 (FIPS 180-4), Ed25519
 * (RFC 8032), Merkle trees as in RFC 6962 section 2.1, and canonical JSON (RFC 8785). Binary values are lower-case hex.
 *
 *   ordinal   = place of an event in the log, dense from 1, over all streams and tenants: its `position`
 *   leaf      = sha256( 0x00 || int64 ordinal, big endian || 32 bytes of the event's chain `hash` )
 *   node      = sha256( 0x01 || left || right ); the left side holds the largest power of two below the number of leaves
 *   keyId     = sha256( 32 bytes of the public key )
 *   signature = Ed25519 over the canonical JSON of the seal without `signature`
 *   seal hash = sha256( canonical JSON of the seal with `signature` ): what the next seal names as `previous`
 *
 * The chain begins with the root statement, number 0. Its seal hash is the log's fingerprint, which an auditor notes once.
 */

/** 32 bytes of Ed25519 public key. */
const PublicKey = Sha256;
const Signature = z.string().regex(/^[0-9a-f]{128}$/);
const ordinal = z.number().int().positive();

const sealed = {
  version: z.literal(1),
  /** Of this log, for ever; random. */
  logId: z.uuid(),
  /** Engine clock, ISO 8601 with ms: says what the engine claims, proves nothing. */
  sealedAt: z.iso.datetime(),
  /** Key that signed this. */
  keyId: Sha256,
  signature: Signature,
};
const chained = {
  ...sealed,
  /** Dense from 1. */
  sealNo: z.number().int().positive(),
  /** Seal hash of the seal before this one; of the root statement for number 1. */
  previous: Sha256,
};

/** Who seals this log from its first event on. Signed by the key that it names. */
export const RootStatement = z.strictObject({
  kind: z.literal('root'),
  ...sealed,
  sealNo: z.literal(0),
  previous: z.null(),
  publicKey: PublicKey,
});
export type RootStatement = z.infer<typeof RootStatement>;

/** Events `first` to `last` of the log were these. `first` follows the `last` of the events' seal before it; 1 for the first of all. */
export const EventsSeal = z.strictObject({ kind: z.literal('events'), ...chained, first: ordinal, last: ordinal, merkleRoot: Sha256 });
export type EventsSeal = z.infer<typeof EventsSeal>;

/** From the next seal on another key signs. Signed by the key before it. */
export const KeySeal = z.strictObject({ kind: z.literal('key'), ...chained, publicKey: PublicKey });
export type KeySeal = z.infer<typeof KeySeal>;

export const Seal = z.discriminatedUnion('kind', [RootStatement, EventsSeal, KeySeal]);
export type Seal = z.infer<typeof Seal>;

/**
 * That an event is under a seal. Together with the event's chain `hash` (from its content, see `chain.ts`) and the seal it proves
 * itself: leaf index `ordinal - first`, tree size `last - first + 1`, RFC 9162 section 2.1.3.2.
 */
export const InclusionProof = z.strictObject({
  sealNo: z.number().int().positive(),
  ordinal,
  /** Sibling hashes from the leaf to the root. A tree of 2^40 leaves is beyond any log. */
  path: z.array(Sha256).max(40),
});
export type InclusionProof = z.infer<typeof InclusionProof>;

/** What is wrong with a chain of seals or with the log under it. */
export const LogFaultCode = z.enum([
  /** Not a seal, or one that its key did not sign. */
  'seal_forged',
  /** A number is left out, or a seal does not follow from the one before it. */
  'seal_missing',
  /** Signed by another key than the chain has come to. */
  'key_replaced',
  /** Two seals of one number, or a seal or fingerprint that somebody keeps is not of this chain. */
  'two_histories',
  /** The seal says of these events something else than the log does: they were changed and their chain rewritten. */
  'events_rewritten',
  /** The log ends before its seals do. */
  'log_truncated',
  /** A position is left out, taken twice, or before the first. */
  'position_wrong',
  /** Content, type, version, actor, time or ciphertext of an event are not those that were hashed. */
  'content_changed',
  /** An event does not follow from the one before it in its stream. */
  'chain_broken',
]);
export type LogFaultCode = z.infer<typeof LogFaultCode>;

/** The first place where something does not hold, as far as it can be told. */
export const LogFault = z.object({
  code: LogFaultCode,
  /** A sentence for people, without any content. */
  reason: z.string(),
  /** First ordinal concerned; null where only seals are. */
  ordinal: z.number().int().nullable(),
  /** Last ordinal that may be concerned; `ordinal` itself where the place is exact. */
  lastOrdinal: z.number().int().nullable(),
  /** Where the database has it; null where it has nothing. */
  position: z.number().int().nullable(),
  stream: z.string().nullable(),
  revision: z.number().int().nullable(),
  sealNo: z.number().int().nullable(),
});
export type LogFault = z.infer<typeof LogFault>;

/** The verdict on the whole log. */
export const LogVerdict = z.discriminatedUnion('verdict', [
  z.object({
    verdict: z.literal('intact'),
    events: z.number().int(),
    /** Ordinal up to which seals vouch; what comes after has only its chain. */
    sealed: z.number().int(),
    /** Number and seal hash of the newest seal: note them to pin all that is before it. Null: no seals yet. */
    newestSeal: z.object({ sealNo: z.number().int(), hash: Sha256 }).nullable(),
    /** Seal hash of the root statement. */
    fingerprint: Sha256.nullable(),
  }),
  z.object({
    verdict: z.literal('broken'),
    /** Events that held before the log was found wrong. */
    events: z.number().int(),
    /** What was found, seals first; from the log only its first fault. */
    faults: z.array(LogFault).min(1),
  }),
]);
export type LogVerdict = z.infer<typeof LogVerdict>;

/** Which seals the events of one stream are under, in order. */
export const SealCoverage = z.object({
  seals: z.array(
    z.object({
      sealNo: z.number().int().positive(),
      /** Seal hash, hex. */
      hash: Sha256,
      sealedAt: z.iso.datetime(),
      keyId: Sha256,
      /** Ordinals of the seal, which covers events of other streams too. */
      first: ordinal,
      last: ordinal,
      /** Of this stream, the first and last event under it. */
      fromRevision: z.number().int().positive(),
      toRevision: z.number().int().positive(),
    }),
  ),
  /** Events of this revision and later are in no seal yet; null: all are. */
  unsealedFrom: z.number().int().positive().nullable(),
});
export type SealCoverage = z.infer<typeof SealCoverage>;
