import { EventId, EventMeta, StreamName } from '@virtual-tutor/schemas';
import { writtenForm } from '../app/chain.ts';
import type { AppendRequest, AppendResult, StoredEvent } from '../app/ports.ts';

/** As text throughout: the read model's library changes this client's parsers. */
export interface EventRow {
  readonly position: string;
  readonly stream: string;
  readonly revision: string;
  readonly event_id: string;
  readonly type: string;
  readonly schema_version: number;
  readonly payload: string;
  readonly sealed: Buffer | null;
  readonly key_id: string | null;
  readonly meta: string;
  readonly content_hash: string;
  readonly hash: string;
  readonly recorded_at: string;
}

export const eventColumns = `
  position::text as position, stream, revision::text as revision, event_id::text as event_id, type, schema_version, payload, sealed,
  key_id::text as key_id, meta, encode(content_hash, 'hex') as content_hash, encode(hash, 'hex') as hash,
  to_char(recorded_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as recorded_at`;

export function storedOf(row: EventRow): StoredEvent {
  return {
    id: EventId.parse(row.event_id),
    type: row.type,
    schemaVersion: row.schema_version,
    payload: JSON.parse(row.payload),
    sealed: row.sealed,
    keyId: row.key_id,
    meta: EventMeta.parse(JSON.parse(row.meta)),
    stream: StreamName.parse(row.stream),
    revision: Number(row.revision),
    position: Number(row.position),
    recordedAt: row.recorded_at,
    contentHash: row.content_hash,
    hash: row.hash,
  };
}

/** A command in the form that `es_append` takes it. */
export interface WrittenCommand {
  readonly command: Readonly<Record<string, unknown>>;
  readonly events: readonly Readonly<Record<string, unknown>>[];
}

/** Throws where JSON would lose something of an event. */
export function writtenCommand({ commandId, stream, expected, fingerprint, events }: AppendRequest): WrittenCommand {
  return {
    command: {
      command_id: commandId,
      stream,
      fingerprint,
      expected: expected === 'none' ? 0 : expected === 'any' ? -1 : expected,
    },
    events: events.map((event, index) => {
      // Payload and meta travel and rest as text: jsonb would refuse a NUL and rewrite numbers.
      const { payload, meta, contentHash } = writtenForm(event);
      return {
        index,
        id: event.id,
        type: event.type,
        version: event.schemaVersion,
        payload,
        meta,
        sealed: event.sealed === null ? null : Buffer.from(event.sealed).toString('base64'),
        key_id: event.keyId,
        content: contentHash.toString('hex'),
      };
    }),
  };
}

export interface AnswerRow {
  readonly ordinal: number;
  readonly status: 'appended' | 'duplicate' | 'conflict' | 'command_reused';
  readonly first_revision: string | null;
  readonly last_revision: string | null;
  readonly last_position: string | null;
}

export function resultOf(row: AnswerRow): AppendResult {
  switch (row.status) {
    case 'appended':
    case 'duplicate':
      return {
        status: row.status,
        firstRevision: Number(row.first_revision),
        lastRevision: Number(row.last_revision),
        lastPosition: Number(row.last_position),
      };
    case 'conflict':
      return { status: 'conflict', actualRevision: Number(row.last_revision) };
    case 'command_reused':
      return { status: 'command_reused' };
  }
}
