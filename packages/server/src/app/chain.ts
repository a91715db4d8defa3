import { hash } from 'node:crypto';
import type { ChainVerdict, StreamName } from '@virtual-tutor/schemas';
import canonicalize from 'canonicalize';
import type { StoredEvent, StoredEventDraft } from './ports.ts';

/*
 * The hash chain of a stream. Auditors recompute it from stored bytes alone:
 *   contentHash = sha256( RFC 8785 JSON of {type, schemaVersion, payload, meta} || sha256(sealed) )
 *   hash        = sha256( hash before it || int64 revision, big endian || 16 bytes of the event id || contentHash )
 * The first hash follows sha256(stream name), so that whole streams cannot be swapped. The ciphertext
 * is hashed, not the words: destroying a key breaks no chain.
 */

const sha256 = (...parts: readonly (string | Uint8Array)[]): Buffer =>
  hash('sha256', Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part))), 'buffer');

/** Stands for the ciphertext's hash where an event has none. */
export const nothingSealed = sha256('');

/** The canonical JSON of {type, schemaVersion, payload, meta}, with its keys sorted and their values left out. */
export const contentParts = { meta: '{"meta":', payload: ',"payload":', schemaVersion: ',"schemaVersion":', type: ',"type":' } as const;

/** An event's JSON as it is hashed and stored. */
export interface WrittenForm {
  readonly payload: string;
  readonly meta: string;
  readonly contentHash: Buffer;
}

type Content = Pick<StoredEventDraft, 'type' | 'schemaVersion' | 'payload' | 'meta' | 'sealed'>;

/** Throws where JSON would lose something: half a surrogate pair, NaN, an infinity. Minus zero is zero, as RFC 8785 has it. */
export function writtenForm({ type, schemaVersion, payload, meta, sealed }: Content): WrittenForm {
  const written = { payload: canonicalJson(payload), meta: canonicalJson(meta) };
  const { meta: before, payload: between, schemaVersion: version, type: kind } = contentParts;
  const whole = `${before}${written.meta}${between}${written.payload}${version}${schemaVersion}${kind}${canonicalJson(type)}}`;
  return { ...written, contentHash: sha256(whole, sealed === null ? nothingSealed : sha256(sealed)) };
}

function canonicalJson(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new Error('this has no form in JSON');
  return text;
}

/** Hash that the stream's first event follows. */
export function chainSeed(stream: StreamName): Buffer {
  return sha256(stream);
}

export function chainHash(
  before: Uint8Array,
  event: { readonly revision: number; readonly id: string; readonly contentHash: Uint8Array },
): Buffer {
  const revision = Buffer.alloc(8);
  revision.writeBigInt64BE(BigInt(event.revision));
  return sha256(before, revision, Buffer.from(event.id.replaceAll('-', ''), 'hex'), event.contentHash);
}

/** Follows the chain from the first event; names the first place where it does not hold. */
export async function verifyChain(stream: StreamName, events: AsyncIterable<StoredEvent> | Iterable<StoredEvent>): Promise<ChainVerdict> {
  let head = chainSeed(stream);
  let revision = 0;
  for await (const event of events) {
    revision += 1;
    const broken = (reason: string): ChainVerdict => ({ verdict: 'broken', stream, revision, position: event.position, reason });
    if (event.revision !== revision) return broken(`revision ${revision} is missing: ${event.revision} stands in its place`);
    if (event.stream !== stream) return broken('this event belongs to another stream');
    const { contentHash: content } = writtenForm(event);
    if (content.toString('hex') !== event.contentHash)
      return broken('the content does not match its hash: it was changed after it was written');
    head = chainHash(head, { revision, id: event.id, contentHash: content });
    if (head.toString('hex') !== event.hash)
      return broken('the hash does not follow from the event before: something was dropped, moved or inserted');
  }
  return { verdict: 'intact', stream, events: revision, headHash: head.toString('hex') };
}
