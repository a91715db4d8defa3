import type { AuditedEvent } from '@virtual-tutor/schemas';
import { type EventCodec, type OpenEvent, UnknownEvent } from './event-codec.ts';
import type { StoredEvent } from './ports.ts';

/** An event for people to read, with its words where they are still there. */
export async function auditedOf(codec: EventCodec, stored: StoredEvent): Promise<AuditedEvent> {
  const { id, type, schemaVersion, stream, revision, position, recordedAt, contentHash, hash, meta } = stored;
  const envelope = { id, type, schemaVersion, stream, revision, position, recordedAt, contentHash, hash, ...meta };
  const opened = await openKnown(codec, stored);
  const personal = opened !== null && 'personal' in opened ? { personal: opened.personal } : {};
  return { ...envelope, payload: { ...stored.payload }, ...personal };
}

/** People also see what this version cannot read. */
async function openKnown(codec: EventCodec, stored: StoredEvent): Promise<OpenEvent | null> {
  try {
    return await codec.open(stored);
  } catch (error) {
    if (error instanceof UnknownEvent) return null;
    throw error;
  }
}
