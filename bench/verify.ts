import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { LogVerdict } from '@virtual-tutor/schemas';
import { systemIds } from '../packages/server/src/app/ids.ts';
import { LogCheck, type LogScan, type WrittenEvent } from '../packages/server/src/app/log-check.ts';
import { Sealing } from '../packages/server/src/app/sealing.ts';
import { verifyLog } from '../packages/server/src/app/verify-log.ts';
import { scanLog } from '../packages/server/src/store/log-scan.ts';
import { FileSealKeys } from '../packages/server/src/store/seal-keys.ts';
import { PostgresSealStore } from '../packages/server/src/store/seal-store.ts';
import { postgresAvailable, startPostgres } from '../test/support/postgres.ts';
import { fillTo, type Log, median, openLog } from './replay/log.ts';

/*
 * Verifying a whole log on PostgreSQL against its seals: every content hash, every link of every chain, every Merkle tree, for logs
 * of 10^3 to 10^6 events of lessons. Beside it, in the same run, the peer: one SHA-256 over the same bytes, from memory, without
 * reading, chains or trees; and the parts, reading alone and checking alone. `linearity`: time per event in the largest log over
 * that in one of 10^4.
 */

const { values } = parseArgs({ options: { json: { type: 'boolean', default: false }, events: { type: 'string', default: '1000000' } } });
const largest = Number(values.events);
const sizes = [1_000, 10_000, 100_000, 1_000_000].filter((size) => size <= largest);
/** Events held in memory. */
const inMemory = Math.min(100_000, largest);
const eventsPerSeal = 1_000;

function say(line: string): void {
  if (!values.json) console.log(line);
}

async function verdictOn(scan: LogScan, seals: PostgresSealStore): Promise<LogVerdict> {
  for await (const said of verifyLog({ scan, seals, exported: null }, [])) if ('verdict' in said) return said;
  throw new Error('no verdict');
}

/** As an engine does; only whole ranges. */
async function sealAll({ store, database }: Log, folder: string): Promise<PostgresSealStore> {
  const seals = new PostgresSealStore(database);
  const sealing = Sealing.start({
    ...{ events: store, seals, outlets: [], clock: { now: () => Date.now() }, ids: systemIds },
    keys: new FileSealKeys(join(folder, 'seal.key')),
    ...{ everyEvents: eventsPerSeal, everyMs: 3_600_000 },
    onDefect: (error) => console.error(error),
  });
  const whole = Math.floor((await store.head()) / eventsPerSeal) * eventsPerSeal;
  while ((await seals.covering(whole)) === null) await sleep(20);
  await sealing.close();
  return seals;
}

async function timed(work: () => Promise<void> | void): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

async function perSecond(events: number, runs: number, work: () => Promise<void> | void): Promise<number> {
  const figures: number[] = [];
  for (let run = 0; run < runs; run += 1) figures.push(await timed(work));
  return Math.round(events / (median(figures) / 1_000));
}

/** What of an event is hashed: its content, its ciphertext, its link and its leaf. */
function hashedBytes({ meta, payload, sealed, id, contentHash, hash }: WrittenEvent): Buffer {
  return Buffer.concat([meta, payload, sealed ?? Buffer.alloc(0), id, contentHash, hash]);
}

/** The bytes of the log's beginning, for what is measured without the database. */
async function inHand(scan: LogScan): Promise<{ readonly pages: readonly (readonly WrittenEvent[])[]; readonly events: number }> {
  const pages: (readonly WrittenEvent[])[] = [];
  let events = 0;
  for await (const page of scan()) {
    pages.push(page);
    events += page.length;
    if (events >= inMemory) break;
  }
  return { pages, events };
}

/** The peer, and the parts, on the same bytes. */
async function beside(scan: LogScan) {
  const { pages, events } = await inHand(scan);
  const bytes = pages.flat().map(hashedBytes);
  const bytesPerEvent = Math.round(bytes.reduce((sum, { length }) => sum + length, 0) / events);
  const sha256 = await perSecond(events, 5, () => {
    const one = createHash('sha256');
    for (const part of bytes) one.update(part);
    one.digest();
  });
  const reading = await perSecond(events, 3, async () => {
    await inHand(scan);
  });
  const checking = await perSecond(events, 3, () => {
    const check = new LogCheck([{ sealNo: 1, first: 1, last: events + 1, merkleRoot: '' }]);
    for (const page of pages) for (const event of page) check.take(event);
    if (check.events !== events) throw new Error('these events did not hold');
  });
  return { bytesPerEvent, sha256, parts: { reading, checking } };
}

async function measureAt(size: number, log: Log, folder: string) {
  const scan = scanLog(log.database);
  const events = await fillTo(log, size);
  await log.database.sql`vacuum analyze es_event`;
  const seals = await sealAll(log, folder);
  const runs = Math.min(15, Math.max(3, Math.floor(300_000 / size)));
  // The first runs are for the compiler.
  for (let run = 0; run < (size < 100_000 ? 5 : 1); run += 1) await verdictOn(scan, seals);
  const own = await perSecond(events, runs, async () => {
    const verdict = await verdictOn(scan, seals);
    if (verdict.verdict !== 'intact' || verdict.events !== events || verdict.sealed === 0) throw new Error(JSON.stringify(verdict));
  });
  // Beside each size: a machine that others use too is slow for both.
  const others = await beside(scan);
  say(`${events} events: ${own}/s, median of ${runs}; SHA-256 of the same bytes ${others.sha256}/s; ${JSON.stringify(others.parts)}`);
  return { own, ...others };
}

async function measure(log: Log, folder: string): Promise<Record<string, unknown>> {
  const bySize = new Map<number, Awaited<ReturnType<typeof measureAt>>>();
  for (const size of sizes) bySize.set(size, await measureAt(size, log, folder));
  const newest = bySize.get(sizes.at(-1) ?? 0);
  if (newest === undefined) throw new Error('--events takes 1000 or more');
  const { own, sha256, bytesPerEvent, parts } = newest;
  return {
    bench: 'verify',
    eventsPerSecond: own,
    bySize: Object.fromEntries([...bySize].map(([size, figures]) => [size, figures.own])),
    linearity: Math.round(((bySize.get(10_000)?.own ?? Number.NaN) / own) * 100) / 100,
    peer: {
      name: 'SHA-256 over the same bytes, from memory',
      eventsPerSecond: sha256,
      megabytesPerSecond: Math.round((sha256 * bytesPerEvent) / 1e6),
    },
    ratio: Math.round((own / sha256) * 1_000) / 1_000,
    parts,
    bytesPerEvent,
    eventsPerSeal,
  };
}

async function main(): Promise<void> {
  if (!postgresAvailable) throw new Error('this bench needs PostgreSQL on this machine: apt-get install postgresql');
  await using server = await startPostgres();
  await using log = await openLog(server.url);
  const folder = mkdtempSync(join(tmpdir(), 'tutor-verify-'));
  try {
    console.log(JSON.stringify(await measure(log, folder)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

await main();
