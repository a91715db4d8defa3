import { afterAll, beforeAll, expect, test } from 'vitest';
import { scanLog } from '../../packages/server/src/store/log-scan.ts';
import { command, draft, readAll } from '../support/drafts.ts';
import { databaseKinds, describeOn, type OpenDatabaseStore, openDatabaseStore } from '../support/stores.ts';

for (const kind of databaseKinds)
  describeOn(kind)(`the log in ${kind}, read as it lies there`, () => {
    let open: OpenDatabaseStore;
    beforeAll(async () => {
      open = await openDatabaseStore(kind);
    });
    afterAll(() => open[Symbol.asyncDispose]());

    async function scanned() {
      const events = [];
      for await (const page of scanLog(open.database)()) events.push(...page);
      return events;
    }

    test('has every byte that was hashed', async () => {
      const personal = { sealed: Buffer.from('00ff10', 'hex'), keyId: '0197f0c2-6c0e-7cc0-8d44-0d8f0a2b6a11' };
      const odd = draft({ text: '“é𝄞\u0000”', big: 2 ** 53, empty: [] }, { ...personal, type: 'Odd“Type”' });
      await open.store.append(command('scanned', 'none', [odd, draft({}, { sealed: Buffer.alloc(0), keyId: personal.keyId })]));
      const stored = await readAll(open.store);
      const hex = (bytes: Uint8Array | null) => (bytes === null ? null : Buffer.from(bytes).toString('hex'));
      expect(
        (await scanned()).map(({ payload, meta, ...event }) => ({
          ...event,
          ...{ payload: JSON.parse(Buffer.from(payload).toString()), meta: JSON.parse(Buffer.from(meta).toString()) },
          ...{ id: hex(event.id), sealed: hex(event.sealed), contentHash: hex(event.contentHash), hash: hex(event.hash) },
        })),
      ).toEqual(
        stored.map(({ position, stream, revision, id, type, schemaVersion, payload, meta, sealed, contentHash, hash }) => ({
          ...{ position, stream, revision, type, schemaVersion, payload, meta, contentHash, hash },
          ...{ id: id.replaceAll('-', ''), sealed: hex(sealed) },
        })),
      );
    });

    // Pages have 2,000 rows: the doubles stand before, at and behind the borders of pages.
    test('has every row, where several have one position and where positions are below the first, too', async () => {
      const { sql } = open.database;
      await sql.unsafe(`set session_replication_role = replica; delete from es_event;
        alter table es_event drop constraint es_event_pkey;
        insert into es_event (position, stream, revision, event_id, type, schema_version, payload, meta, content_hash, hash)
        select position, 'session-x', row_number() over (), gen_random_uuid(), 'T', 1, '{}', '{}', '', sha256(int8send(row_number() over ()))
        from (select generate_series(-3, 4300) as position union all
              select unnest(array[1996, 1997, 1998, 1999, 2000, 3995, 3996, 3997, 3998, 3999]) order by 1) p;
        set session_replication_role = origin`);
      const rows = await sql<{ hash: string }[]>`select encode(hash, 'hex') as hash from es_event`;
      const found = (await scanned()).map(({ hash }) => Buffer.from(hash).toString('hex'));
      expect(found.toSorted()).toEqual(rows.map(({ hash }) => hash).toSorted());
    });
  });
