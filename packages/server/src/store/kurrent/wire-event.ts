import { type EventData, jsonEvent, type Position, type RecordedEvent } from '@kurrent/kurrentdb-client';
import { EventId, EventMeta, StreamName } from '@virtual-tutor/schemas';
import { z } from 'zod';
import { chainHash, writtenForm } from '../../app/chain.ts';
import type { AppendRequest, StoredEvent } from '../../app/ports.ts';

/** An event of ours as KurrentDB has it: JSON in both parts, so that its own tools can show it. */
const Data = z.object({ payload: z.record(z.string(), z.unknown()), sealed: z.base64().nullable(), keyId: z.uuid().nullable() });
const Metadata = z.object({
  meta: EventMeta,
  schemaVersion: z.number().int().positive(),
  contentHash: z.hex(),
  hash: z.hex(),
  commandId: z.uuid(),
  fingerprint: z.string(),
  /** Of the command's events, from 0. */
  index: z.number().int().nonnegative(),
  /** How many there are. */
  of: z.number().int().positive(),
});

export interface StreamHead {
  /** 0: no stream yet. */
  readonly revision: number;
  readonly hash: Uint8Array;
}

/** Throws where JSON would lose something. The chain goes on from `head`. */
export function wireEvents({ events, commandId, fingerprint }: AppendRequest, head: StreamHead): readonly EventData[] {
  let { hash } = head;
  return events.map((event, index) => {
    const { payload, contentHash } = writtenForm(event);
    hash = chainHash(hash, { revision: head.revision + index + 1, id: event.id, contentHash });
    return jsonEvent({
      id: event.id,
      type: event.type,
      data: {
        payload: JSON.parse(payload),
        sealed: event.sealed === null ? null : Buffer.from(event.sealed).toString('base64'),
        keyId: event.keyId,
      },
      metadata: {
        meta: { ...event.meta },
        schemaVersion: event.schemaVersion,
        contentHash: contentHash.toString('hex'),
        hash: Buffer.from(hash).toString('hex'),
        commandId,
        fingerprint,
        index,
        of: events.length,
      },
    });
  });
}

export function storedOf({ id, type, streamId, revision, created, data, metadata }: RecordedEvent, position: number): StoredEvent {
  const { payload, sealed, keyId } = Data.parse(data);
  const { meta, schemaVersion, contentHash, hash } = Metadata.parse(metadata);
  return {
    id: EventId.parse(id),
    type,
    schemaVersion,
    payload,
    sealed: sealed === null ? null : Buffer.from(sealed, 'base64'),
    keyId,
    meta,
    stream: StreamName.parse(streamId),
    revision: revisionOf(revision),
    position,
    recordedAt: created.toISOString(),
    contentHash,
    hash,
  };
}

/** KurrentDB counts from 0. */
export function revisionOf(revision: bigint): number {
  return Number(revision) + 1;
}

/** Another program writes to this KurrentDB, under names of ours. */
export class ForeignEvent extends Error {
  override readonly name = 'ForeignEvent';
  constructor(stream: string) {
    super(`KurrentDB holds an event in ${stream} that no engine wrote: give the engine a KurrentDB of its own`);
  }
}

/** What the index and the next append need of an event. */
export interface IndexedEvent {
  readonly at: Position;
  readonly stream: string;
  readonly head: StreamHead;
  readonly command: {
    readonly id: string;
    readonly fingerprint: string;
    /** Of the command's events, from 0. */
    readonly index: number;
    readonly of: number;
  };
}

export function indexedOf({ streamId, revision, position, metadata }: RecordedEvent): IndexedEvent {
  const ours = Metadata.safeParse(metadata);
  if (!ours.success) throw new ForeignEvent(streamId);
  const { hash, commandId, fingerprint, index, of } = ours.data;
  if (position === undefined) throw new Error('an event of $all has a position');
  return {
    at: position,
    stream: streamId,
    head: { revision: revisionOf(revision), hash: Buffer.from(hash, 'hex') },
    command: { id: commandId, fingerprint, index, of },
  };
}
