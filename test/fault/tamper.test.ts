import type { LogFault } from '@virtual-tutor/schemas';
import postgres, { type Sql } from 'postgres';
import { afterAll, expect, test } from 'vitest';
import { canonicalSeal, followSeals, sealEvents, sealHash } from '../../packages/server/src/app/seal.ts';
import { Forger, flipped, invented, type Row, rechained } from '../support/forger.ts';
import { isLong } from '../support/long.ts';
import { exportedSeals, sealsOf, startSealing, temporaryFolder, verdictOn, writeEvents } from '../support/sealed-log.ts';
import { type DatabaseKind, databaseKinds, describeOn, openDatabaseStore } from '../support/stores.ts';

/*
 * The tamper table: what somebody who rules the database can do to the log, done in a real one with triggers off and constraints
 * gone, and what a verification says of it. The log has 65 events of six streams that take turns; seals 1 to 6 cover ten each.
 */

const events = 65;
/** Under seal 3, which covers 21 to 30: the fourth event of its stream, which has nine or ten more. */
const victim = 23;
/** The next one of its stream. */
const nextOfStream = victim + 6;

interface Manipulation {
  readonly what: string;
  readonly done: (forger: Forger) => Promise<void>;
  /** What is found, and where. */
  readonly found: Partial<LogFault>;
  /** Only what an auditor noted before gives it away. */
  readonly takesNote?: true;
}

const at = (ordinal: number) => ({ ordinal, lastOrdinal: ordinal });
const without = (rows: readonly Row[], position: number) => rows.filter((row) => row.position !== position);
const reworded = (rows: readonly Row[]) =>
  rows.map((row) => (row.position === victim ? { ...row, payload: row.payload?.replace('said', 'swore') ?? null } : row));
const swapped = (rows: readonly Row[], a: number, b: number) =>
  rows
    .map((row) => ({ ...row, position: row.position === a ? b : row.position === b ? a : row.position }))
    .sort((one, other) => (one.position ?? 0) - (other.position ?? 0));

const manipulations: readonly Manipulation[] = [
  {
    what: 'one letter of a payload flipped',
    done: (forger) => forger.change(victim, ({ payload }) => ({ payload: payload?.replace('said', 'saie') ?? null })),
    found: { code: 'content_changed', ...at(victim), position: victim, revision: 4 },
  },
  {
    what: 'a space added to a payload',
    done: (forger) => forger.change(victim, ({ payload }) => ({ payload: `${payload} ` })),
    found: { code: 'content_changed', ...at(victim) },
  },
  {
    what: 'one bit of a ciphertext flipped',
    done: (forger) => forger.change(22, ({ sealed }) => ({ sealed: flipped(sealed ?? '') })),
    found: { code: 'content_changed', ...at(22) },
  },
  {
    what: 'a ciphertext taken away',
    done: (forger) => forger.change(22, () => ({ sealed: null, key_id: null })),
    found: { code: 'content_changed', ...at(22) },
  },
  {
    what: 'ciphertexts of two events swapped',
    done: async (forger) => {
      const rows = await forger.rows();
      const of = (position: number) => rows.find((row) => row.position === position)?.sealed ?? null;
      await forger.put(rows.map((row) => ({ ...row, sealed: row.position === 22 ? of(25) : row.position === 25 ? of(22) : row.sealed })));
    },
    found: { code: 'content_changed', ...at(22) },
  },
  {
    what: 'another actor',
    done: (forger) => forger.change(victim, ({ meta }) => ({ meta: meta.replace('"kind":"system"', '"kind":"teacher"') })),
    found: { code: 'content_changed', ...at(victim) },
  },
  {
    what: 'another time',
    done: (forger) => forger.change(victim, ({ meta }) => ({ meta: meta.replace('2026-01-01', '2025-12-31') })),
    found: { code: 'content_changed', ...at(victim) },
  },
  {
    what: 'another type',
    done: (forger) => forger.change(victim, () => ({ type: 'Invented' })),
    found: { code: 'content_changed', ...at(victim) },
  },
  {
    what: 'another schema version',
    done: (forger) => forger.change(victim, () => ({ schema_version: 2 })),
    found: { code: 'content_changed', ...at(victim) },
  },
  {
    what: 'the border between meta and payload moved',
    done: (forger) =>
      forger.change(victim, ({ meta, payload }) => {
        const [before, after] = (payload ?? '').split(',"payload":');
        return { meta: `${meta},"payload":${before}`, payload: after ?? null };
      }),
    found: { code: 'content_changed', ...at(victim) },
  },
  {
    what: 'another event id',
    done: (forger) => forger.change(victim, ({ event_id }) => ({ event_id: flipped(event_id) })),
    found: { code: 'chain_broken', ...at(victim) },
  },
  {
    what: 'content and content hash changed together',
    done: (forger) =>
      forger.change(victim, (row) => {
        const [anew] = rechained([{ ...row, payload: row.payload?.replace('said', 'swore') ?? null }]);
        return { payload: anew?.payload ?? null, content_hash: anew?.content_hash ?? '' };
      }),
    found: { code: 'chain_broken', ...at(victim) },
  },
  {
    what: 'one bit of a chain hash flipped',
    done: (forger) => forger.change(victim, ({ hash }) => ({ hash: flipped(hash) })),
    found: { code: 'chain_broken', ...at(victim) },
  },
  {
    what: 'an event dropped',
    done: async (forger) => forger.put(without(await forger.rows(), victim)),
    found: { code: 'position_wrong', ...at(victim), position: victim + 1 },
  },
  {
    what: 'an event dropped, positions closed up',
    done: async (forger) => {
      const rows = without(await forger.rows(), victim);
      await forger.put(rows.map((row, index) => ({ ...row, position: index + 1 })));
    },
    found: { code: 'events_rewritten', ...at(victim) },
  },
  {
    what: 'an event dropped, the whole chain made anew',
    done: async (forger) => forger.put(rechained(without(await forger.rows(), victim))),
    found: { code: 'events_rewritten', ...at(victim) },
  },
  {
    what: 'an event inserted, the whole chain made anew',
    done: async (forger) => {
      const rows = await forger.rows();
      await forger.put(rechained(rows.toSpliced(victim - 1, 0, invented(rows[0]?.stream ?? '', victim))));
    },
    found: { code: 'events_rewritten', ...at(victim) },
  },
  {
    what: 'an event put before the first position',
    done: async (forger) => {
      const rows = await forger.rows();
      await forger.put([invented(rows[0]?.stream ?? '', 0), ...rows]);
    },
    found: { code: 'position_wrong', ...at(1), position: 0 },
  },
  {
    what: 'an event put at no position at all',
    done: async (forger) => {
      const rows = await forger.rows();
      await forger.put([...rows, { ...invented(rows[0]?.stream ?? '', 0), position: null }]);
    },
    found: { code: 'position_wrong', ...at(1) },
  },
  {
    what: 'a content taken away altogether',
    done: (forger) => forger.change(victim, () => ({ payload: null })),
    found: { code: 'content_changed', ...at(victim) },
  },
  {
    what: 'a second event at a position',
    done: async (forger) => {
      const rows = await forger.rows();
      await forger.put([...rows, invented(rows[0]?.stream ?? '', victim)]);
    },
    found: { position: victim, lastOrdinal: victim },
  },
  {
    what: 'two events of different streams exchanged, both chains whole',
    done: async (forger) => forger.put(swapped(await forger.rows(), victim, victim + 1)),
    found: { code: 'events_rewritten', ...at(victim) },
  },
  {
    what: 'two events of one stream exchanged',
    done: async (forger) => forger.put(swapped(await forger.rows(), victim, nextOfStream)),
    found: { code: 'chain_broken', ...at(victim) },
  },
  {
    what: 'two streams swapped by name',
    done: async (forger) => {
      const rows = await forger.rows();
      const [a, b] = [rows[2]?.stream ?? '', rows[3]?.stream ?? ''];
      await forger.put(rows.map((row) => ({ ...row, stream: row.stream === a ? b : row.stream === b ? a : row.stream })));
    },
    found: { code: 'chain_broken', ...at(3) },
  },
  {
    what: 'the tail cut off',
    done: async (forger) => forger.put((await forger.rows()).slice(0, 45)),
    found: { code: 'log_truncated', ordinal: 46, lastOrdinal: 60, position: null },
  },
  {
    what: 'the whole log emptied',
    done: (forger) => forger.put([]),
    found: { code: 'log_truncated', ordinal: 1, lastOrdinal: 60 },
  },
  {
    what: 'a whole stream taken away',
    done: async (forger) => {
      const rows = await forger.rows();
      await forger.put(rows.filter(({ stream }) => stream !== rows[2]?.stream));
    },
    found: { code: 'position_wrong', ...at(3) },
  },
  {
    what: 'a whole stream taken away, positions closed up',
    done: async (forger) => {
      const rows = await forger.rows();
      await forger.put(rechained(rows.filter(({ stream }) => stream !== rows[2]?.stream)));
    },
    found: { code: 'events_rewritten', ...at(3) },
  },
  {
    what: 'the tail of a stream taken away, positions closed up',
    done: async (forger) => {
      const rows = await forger.rows();
      await forger.put(rechained(rows.filter((row) => row.stream !== rows[2]?.stream || (row.position ?? 0) < victim)));
    },
    found: { code: 'events_rewritten', ...at(27) },
  },
  {
    what: 'all positions moved up by one',
    done: async (forger) => forger.put((await forger.rows()).map((row) => ({ ...row, position: (row.position ?? 0) + 1 }))),
    found: { code: 'position_wrong', ...at(1), position: 2 },
  },
  {
    what: 'one word changed, the whole chain made anew after its seal left',
    done: async (forger) => forger.put(rechained(reworded(await forger.rows()))),
    found: { code: 'events_rewritten', ...at(victim), sealNo: 3 },
  },
  {
    what: 'the same, where seals left without the hashes under them',
    done: async (forger) => {
      forger.remove(...forger.exported.filter((name) => name.endsWith('.hashes')));
      await forger.put(rechained(reworded(await forger.rows())));
    },
    found: { code: 'events_rewritten', ordinal: 21, lastOrdinal: 30, sealNo: 3 },
  },
  {
    what: 'the same, and all seals of the database made anew',
    done: async (forger) => {
      await forger.put(rechained(reworded(await forger.rows())));
      await forger.resealAll();
    },
    found: { code: 'events_rewritten', ...at(victim), sealNo: 3 },
  },
  {
    what: 'the same, and the exported ones too (fingerprint noted)',
    done: async (forger) => {
      await forger.put(rechained(reworded(await forger.rows())));
      await forger.resealAll();
      await forger.exportAll();
    },
    found: { code: 'two_histories' },
    takesNote: true,
  },
  {
    what: 'log and seals set back everywhere (newest seal noted)',
    done: async (forger) => {
      await forger.put((await forger.rows()).slice(0, 40));
      await forger.sql`delete from es_seal where seal_no > 4`;
      forger.remove(...forger.exported.filter((name) => name > '00000005'));
    },
    found: { code: 'two_histories' },
    takesNote: true,
  },
  {
    what: 'a seal of the database changed',
    done: async (forger) => forger.sealRow(3, canonicalSeal({ ...(await forger.seal(3)), sealedAt: '2025-12-31T00:00:00.000Z' })),
    found: { code: 'seal_forged', sealNo: 3 },
  },
  {
    what: 'a seal of the database made unreadable',
    done: (forger) => forger.sealRow(3, '{"kind":"events"}'),
    found: { code: 'seal_forged', sealNo: 3 },
  },
  {
    what: 'a seal forged with another key',
    done: async (forger) => {
      const seals = await Promise.all([0, 1, 2].map((sealNo) => forger.seal(sealNo)));
      const { chain } = followSeals(seals);
      if (chain === null) return;
      const moment = { key: forger.ownKey, sealedAt: '2026-01-01T00:00:00.000Z' };
      await forger.sealRow(3, canonicalSeal(sealEvents(chain, { last: 30, merkleRoot: Buffer.alloc(32) }, moment)));
    },
    found: { code: 'key_replaced', sealNo: 3, ordinal: 21, lastOrdinal: 30 },
  },
  {
    what: 'a seal removed from the database',
    done: async (forger) => {
      await forger.sql`delete from es_seal where seal_no = 3`;
    },
    found: { code: 'seal_missing', sealNo: 3, ordinal: 21, lastOrdinal: 30 },
  },
  {
    what: 'the newest seals removed from the database',
    done: async (forger) => {
      await forger.sql`delete from es_seal where seal_no > 4`;
    },
    found: { code: 'seal_missing', sealNo: 5 },
  },
  {
    what: 'all seals removed from the database',
    done: async (forger) => {
      await forger.sql`delete from es_seal`;
    },
    found: { code: 'seal_missing', sealNo: 0 },
  },
  {
    what: 'an exported seal altered',
    done: async (forger) => forger.writeFile('00000003.json', forger.readFile('00000003.json').replace('"last":30', '"last":29')),
    found: { code: 'seal_forged', sealNo: 3, ordinal: 21, lastOrdinal: 29 },
  },
  {
    what: 'an exported seal removed',
    done: async (forger) => forger.remove('00000003.json'),
    found: { code: 'seal_missing', sealNo: 3, ordinal: 21, lastOrdinal: 30 },
  },
];

/** The embedded database runs the same SQL, slower: some of each kind, and all of them in a long run. */
function manipulationsOn(kind: DatabaseKind): readonly Manipulation[] {
  return kind === 'PGlite' && !isLong ? manipulations.filter((_, index) => index % 4 === 0) : manipulations;
}

const table: string[] = [];
afterAll(() => {
  process.stdout.write(`${table.join('\n')}\n`);
});

/** A log with its seals, and a connection of its own for whoever rules the database. */
async function sealedLog(kind: DatabaseKind) {
  await using cleanUp = new AsyncDisposableStack();
  const open = cleanUp.use(await openDatabaseStore(kind));
  const folder = cleanUp.use(temporaryFolder());
  const log = { database: open.database, events: open.store };
  await writeEvents(log.events, events);
  await using _sealing = startSealing(log, folder.path);
  await expect.poll(async () => (await exportedSeals(folder.path)).length, { timeout: 20_000 }).toBe(7);
  const ruler: Sql =
    open.server === null ? open.database.sql : postgres(open.server.url, { max: 1, fetch_types: false, onnotice: () => {} });
  if (open.server !== null) cleanUp.defer(() => ruler.end());
  const noted = (await sealsOf(log)).map(sealHash);
  const resources = cleanUp.move();
  return { ruler, folder: folder.path, noted, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}

for (const kind of databaseKinds) {
  describeOn(kind)(`a log in ${kind} that was tampered with`, () => {
    const opened = sealedLog(kind);
    afterAll(async () => (await opened)[Symbol.asyncDispose]());

    test('holds before', async () => {
      const { ruler, folder, noted } = await opened;
      expect(await verdictOn({ database: { sql: ruler } }, folder, noted)).toMatchObject({ verdict: 'intact', events, sealed: 60 });
    });

    test.each(manipulationsOn(kind).map((one) => [one.what, one] as const))(
      '%s: is found, and where',
      async (what, { done, found, takesNote }) => {
        const { ruler, folder, noted } = await opened;
        using copy = temporaryFolder();
        copy.copyOf(folder);
        // All of it is undone: the next forger finds the log as it was.
        await ruler.unsafe('begin');
        try {
          const forger = new Forger(ruler, copy.path);
          await forger.disarm();
          await done(forger);
          const database = { sql: ruler };
          const verdict = await verdictOn({ database }, copy.path, takesNote === true ? noted.slice(-1) : []);
          const faults = verdict.verdict === 'broken' ? verdict.faults : [];
          const fault = faults.find((one) => Object.entries(found).every(([name, value]) => Reflect.get(one, name) === value));
          expect(fault, JSON.stringify(verdict)).toBeDefined();
          table.push(`${kind.padEnd(10)} ${what.padEnd(66)} ${(fault?.code ?? '').padEnd(16)} ${placeOf(fault)}`);
          // Without the note this very deed would pass: that is what notes are for.
          if (takesNote === true) expect(await verdictOn({ database }, copy.path)).toMatchObject({ verdict: 'intact' });
        } finally {
          await ruler.unsafe('rollback');
        }
      },
    );
  });
}

function placeOf(fault: LogFault | undefined): string {
  if (fault === undefined || fault.ordinal === null) return fault?.sealNo === null ? 'the chain as a whole' : `seal ${fault?.sealNo}`;
  return fault.ordinal === fault.lastOrdinal ? `event ${fault.ordinal}` : `events ${fault.ordinal} to ${fault.lastOrdinal}`;
}
