import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { CommandId, StreamName, TenantId } from '@virtual-tutor/schemas';
import { eventIdOf, systemIds } from '../packages/server/src/app/ids.ts';
import type { AppendRequest, EventStore } from '../packages/server/src/app/ports.ts';
import { type Database, openDatabase } from '../packages/server/src/store/database.ts';
import { type PostgresServer, postgresAvailable, startPostgres } from '../test/support/postgres.ts';
import { openEmmett } from './peers/emmett.ts';
import { fillTo, median, openLog } from './replay/log.ts';

/*
 * Appends per second, one event each, of the size of `SentenceHeard`: through our store with 1 and 32
 * writers, each on a stream of its own at an exact revision; through pgbench, which inserts the same
 * row into a table with the same columns and indexes (-M prepared, position from a sequence, no
 * stream row, no command row, no chain); through emmett, 32 writers. All on one throw-away server with
 * its defaults (fsync on), taking turns. Then the same with 32 writers on logs that hold 10^3 to 10^6 events
 * already, ours and pgbench's table of as many rows (`bySize`); `growth` is the rate at the largest over that
 * at 10^3: 1 is a log that does not slow down.
 */

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    seconds: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '7' },
    events: { type: 'string', default: '1000000' },
  },
});
const seconds = Number(values.seconds);
const rounds = Number(values.rounds);
const sizes = [1_000, 10_000, 100_000, 1_000_000].filter((size) => size <= Number(values.events));
const tenantId = TenantId.parse('bench');

function payloadOf(index: number) {
  return { turnId: '0197f0c2-6c0e-7cc0-8d44-0d8f0a2b6a11', index, heardMs: 1_840, durationMs: 1_840 };
}

function metaOf(id: string) {
  return {
    tenantId,
    actor: { kind: 'system', id: 'node-1' },
    causationId: id,
    correlationId: '0197f0c2-6c0e-7cc0-8d44-0d8f0a2b6a11',
    occurredAt: '2026-01-01T00:00:00.000Z',
  } as const;
}

function requestOf(stream: StreamName, revision: number): AppendRequest {
  const id = systemIds.next();
  const commandId = CommandId.parse(id);
  return {
    commandId,
    stream,
    expected: revision === 0 ? 'none' : revision,
    fingerprint: 'a'.repeat(64),
    events: [
      {
        id: eventIdOf(commandId, 0),
        type: 'SentenceHeard',
        schemaVersion: 1,
        payload: payloadOf(revision),
        sealed: null,
        keyId: null,
        meta: metaOf(id),
      },
    ],
  };
}

/** Each writer waits for its answer before it writes again. */
async function perSecond(writers: number, write: (writer: number, turn: number) => Promise<void>): Promise<number> {
  let done = 0;
  const started = performance.now();
  const until = started + seconds * 1_000;
  await Promise.all(
    Array.from({ length: writers }, async (_, writer) => {
      for (let turn = 0; performance.now() < until; turn += 1) {
        await write(writer, turn);
        done += 1;
      }
    }),
  );
  return done / ((performance.now() - started) / 1_000);
}

let run = 0;

function ours(store: EventStore, writers: number): Promise<number> {
  run += 1;
  const streams = Array.from({ length: writers }, (_, writer) => StreamName.parse(`session-${run}-${writer}`));
  return perSecond(writers, async (writer, turn) => {
    const result = await store.append(requestOf(streams[writer] ?? StreamName.parse('session-none'), turn));
    if (result.status !== 'appended') throw new Error(`an append ended as ${result.status}`);
  });
}

async function pgbench(server: PostgresServer, { clients, database }: { readonly clients: number; readonly database: string }) {
  run += 1;
  const script = join(server.folder, `insert-${run}.sql`);
  const id = randomUUID();
  const hash = `'\\x${'ab'.repeat(32)}'`;
  writeFileSync(
    script,
    `\\set n :n + 1
insert into peer_event (stream, revision, event_id, type, schema_version, payload, meta, content_hash, hash)
values ('session-${run}-' || :client_id, :n, gen_random_uuid(), 'SentenceHeard', 1, '${JSON.stringify(payloadOf(100))}', '${JSON.stringify(metaOf(id))}', ${hash}, ${hash});\n`,
  );
  const args = ['-n', '-M', 'prepared', '-D', 'n=0', '-T', String(seconds), '-c', String(clients), '-j', '2', '-f', script];
  const { stdout } = await promisify(execFile)(server.program('pgbench'), [
    ...args,
    ...['-h', '127.0.0.1', '-p', String(server.port), '-U', 'tutor', database],
  ]);
  const tps = /tps = ([\d.]+) \(without/.exec(stdout)?.[1];
  if (tps === undefined) throw new Error(`pgbench said something else: ${stdout}`);
  return Number(tps);
}

async function openPeer(server: PostgresServer, name: string): Promise<Database> {
  const peer = await openDatabase({ kind: 'server', url: await server.createDatabase(name) });
  await peer.sql.unsafe(`
    create sequence peer_position;
    create table peer_event (like es_event including all);
    alter table peer_event alter position set default nextval('peer_position')`);
  return peer;
}

interface Grown {
  readonly size: number;
  readonly ours: number;
  readonly pgbench: number;
  /** Of neighbours in time. */
  readonly ratio: number;
}

/** Fresh tables, filled to one size after the other, and written to at each. */
async function grow(server: PostgresServer): Promise<readonly Grown[]> {
  await using log = await openLog(await server.createDatabase('ours_grown'));
  await using peer = await openPeer(server, 'peer_grown');
  const grown: Grown[] = [];
  for (const size of sizes) {
    await fillTo(log, size);
    await peer.sql.unsafe(`
      insert into peer_event (stream, revision, event_id, type, schema_version, payload, meta, content_hash, hash)
      select 'session-filled-' || i / 800, 1 + i % 800, gen_random_uuid(), 'SentenceHeard', 1, '${JSON.stringify(payloadOf(100))}',
        '${JSON.stringify(metaOf(randomUUID()))}', sha256(int8send(i)), sha256(int8send(i))
      from generate_series((select count(*) from peer_event), ${size} - 1) i`);
    const pairs: (readonly [number, number])[] = [];
    for (let round = 0; round < 3; round += 1)
      pairs.push([await ours(log.store, 32), await pgbench(server, { clients: 32, database: 'peer_grown' })]);
    const [own, other] = [median(pairs.map(([one]) => one)), median(pairs.map(([, two]) => two))];
    grown.push({ size, ours: Math.round(own), pgbench: Math.round(other), ratio: twoDigits(median(pairs.map(([one, two]) => one / two))) });
    if (!values.json) console.log(`at ${size} events  ours ${Math.round(own)}/s  pgbench ${Math.round(other)}/s`);
  }
  return grown;
}

function twoDigits(figure: number): number {
  return Math.round(figure * 100) / 100;
}

async function main(): Promise<void> {
  if (!postgresAvailable) throw new Error('this bench needs PostgreSQL on this machine: apt-get install postgresql');
  await using server = await startPostgres();
  await using log = await openLog(await server.createDatabase('ours'));
  const { database, store } = log;
  await using emmett = await openEmmett(await server.createDatabase('emmett'));
  await using peer = await openPeer(server, 'peer');

  const emmettRun = () => {
    run += 1;
    const mine = run;
    return perSecond(32, (writer, turn) =>
      emmett.append(`session-${mine}-${writer}`, [{ type: 'SentenceHeard', data: payloadOf(turn), metadata: metaOf(randomUUID()) }]),
    );
  };
  const runs: readonly (readonly [string, () => Promise<number>])[] = [
    ['ours1', () => ours(store, 1)],
    ['pgbench1', () => pgbench(server, { clients: 1, database: 'peer' })],
    ['ours32', () => ours(store, 32)],
    ['pgbench32', () => pgbench(server, { clients: 32, database: 'peer' })],
    ['emmett32', emmettRun],
  ];
  // Node compiles what runs often.
  await ours(store, 32);
  await emmettRun();
  const figures = new Map<string, number[]>(runs.map(([name]) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, measure] of runs) {
      const figure = Math.round(await measure());
      figures.get(name)?.push(figure);
      if (!values.json) console.log(`round ${round + 1}  ${name.padEnd(10)} ${figure}/s`);
    }
  }
  const [size] = await database.sql<
    { ours: number }[]
  >`select round(avg(pg_column_size(e.*)))::int as ours from (select * from es_event limit 1000) e`;
  const [peerSize] = await peer.sql<
    { peer: number }[]
  >`select round(avg(pg_column_size(e.*)))::int as peer from (select * from peer_event limit 1000) e`;
  const of = (name: string) => median(figures.get(name) ?? []);
  // Of neighbours in time: a machine that others use too is slow for both.
  const ratio = (a: string, b: string) => {
    const pairs = (figures.get(a) ?? []).map((figure, round) => figure / (figures.get(b)?.[round] ?? Number.NaN));
    return twoDigits(median(pairs));
  };
  const grown = await grow(server);
  console.log(
    JSON.stringify({
      bench: 'append',
      eventsPerSecond: of('ours32'),
      ratioToPgbench32: ratio('ours32', 'pgbench32'),
      ratioToPgbench1: ratio('ours1', 'pgbench1'),
      ratioToEmmett32: ratio('ours32', 'emmett32'),
      medians: Object.fromEntries(runs.map(([name]) => [name, of(name)])),
      ranges: Object.fromEntries([...figures].map(([name, all]) => [name, [Math.min(...all), Math.max(...all)]])),
      bySize: grown,
      growth: twoDigits((grown.at(-1)?.ours ?? Number.NaN) / (grown[0]?.ours ?? Number.NaN)),
      rowBytes: { ours: size?.ours, pgbench: peerSize?.peer },
      rounds,
      seconds,
    }),
  );
}

await main();
