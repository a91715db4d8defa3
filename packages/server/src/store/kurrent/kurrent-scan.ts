import { writtenForm } from '../../app/chain.ts';
import type { LogScan, WrittenEvent } from '../../app/log-check.ts';
import type { EventStore, StoredEvent } from '../../app/ports.ts';

const pageSize = 1_000;

/** KurrentDB keeps JSON and not our bytes: they are written again by the rule that hashed them. */
export function scanKurrent(store: Pick<EventStore, 'readAll'>): LogScan {
  return async function* () {
    for (let after = 0; ; ) {
      const page = await store.readAll({ after, limit: pageSize });
      const last = page.at(-1);
      if (last === undefined) return;
      yield page.map(written);
      after = last.position;
    }
  };
}

function written(event: StoredEvent): WrittenEvent {
  const { position, stream, revision, type, schemaVersion, sealed } = event;
  const { payload, meta } = writtenForm(event);
  return {
    ...{ position, stream, revision, type, schemaVersion, sealed },
    id: Buffer.from(event.id.replaceAll('-', ''), 'hex'),
    payload: Buffer.from(payload),
    meta: Buffer.from(meta),
    contentHash: Buffer.from(event.contentHash, 'hex'),
    hash: Buffer.from(event.hash, 'hex'),
  };
}
