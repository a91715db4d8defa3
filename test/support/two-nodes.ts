import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { api } from '@virtual-tutor/schemas';
import { createTutorClient } from '@virtual-tutor/sdk';
import { openDatabase } from '../../packages/server/src/store/database.ts';
import { PostgresEventStore } from '../../packages/server/src/store/postgres-event-store.ts';
import { type ClassReport, holdClass } from './class.ts';
import { command } from './drafts.ts';
import { type RunningEngine, startEngine } from './engine.ts';
import { startPostgres } from './postgres.ts';
import { wire } from './wire.ts';

export interface Load {
  /** On each node, at once. */
  readonly students: number;
  /** Classes of these, one after the other, while this says so; told how many there were. */
  readonly more: (classes: number) => boolean;
}

export interface LoadReport {
  readonly classes: number;
  readonly asked: number;
  readonly answered: number;
  readonly crossed: number;
  /** From a question to the first words of its answer at the student's, over both nodes, p99. */
  readonly firstWordsP99Ms: number;
  /** Of a bystander's appends to the same log, p99. */
  readonly appendP99Ms: number;
  /** Resident, of both nodes together, MiB, after each class. */
  readonly memoryMiB: readonly number[];
  /** From the end of the load until no projection was behind. */
  readonly caughtUpMs: number;
}

const turns = 3;
/** A projection that is behind for longer than this does not catch up, ms. */
const patienceMs = 30_000;

/** Two engines on one PostgreSQL, each with classes of its own. */
export async function loadTwoNodes({ students, more }: Load): Promise<LoadReport> {
  await using server = await startPostgres();
  const shared = {
    DATABASE_URL: server.url,
    DATA_DIR: mkdtempSync(join(server.folder, 'shared-')),
    MASTER_KEY: randomBytes(32).toString('base64'),
    ENGINE_TOKEN_SECRET: randomBytes(32).toString('base64'),
    LOG_LEVEL: 'warn',
    RATE_PER_KEY: '1000000',
    RATE_PER_ADDRESS: '1000000',
  };
  await using one = await startEngine({ ...shared, NODE_NAME: 'node-1' });
  await using other = await startEngine({ ...shared, NODE_NAME: 'node-2' });
  const { apiKey } = one;
  const nodes = [one, other];
  await using database = await openDatabase({ kind: 'server', url: server.url });
  const store = await PostgresEventStore.open(database);

  const appendMs: number[] = [];
  let loaded = true;
  const bystander = (async () => {
    for (let revision = 0; loaded; revision += 1) {
      const started = performance.now();
      await store.append(command('bystander', revision === 0 ? 'none' : revision));
      appendMs.push(performance.now() - started);
      await pause(20);
    }
  })();

  const reports: ClassReport[] = [];
  const memoryMiB: number[] = [];
  while (more(memoryMiB.length)) {
    reports.push(...(await Promise.all(nodes.map(({ url }) => holdClass({ url, apiKey, students, turns })))));
    for (const { url } of nodes) await endAll(url, apiKey);
    memoryMiB.push(nodes.reduce((sum, node) => sum + residentMiB(node), 0));
  }
  loaded = false;
  await bystander;
  const caughtUpMs = await untilCaughtUp(one.url, apiKey);
  await store.close();
  return {
    classes: memoryMiB.length,
    asked: reports.length * students * turns,
    answered: sum(reports.map(({ answered }) => answered)),
    crossed: sum(reports.map(({ crossed }) => crossed)),
    firstWordsP99Ms: p99(reports.flatMap(({ firstTokenMs }) => firstTokenMs)),
    appendP99Ms: p99(appendMs),
    memoryMiB,
    caughtUpMs,
  };
}

async function endAll(url: string, apiKey: string): Promise<void> {
  const client = createTutorClient({ url, apiKey });
  for await (const { id } of client.sessions.list({ status: 'active' })) await client.sessions.end(id);
}

async function untilCaughtUp(url: string, apiKey: string): Promise<number> {
  const operator = wire(url, apiKey);
  const started = performance.now();
  for (;;) {
    const answer = await operator.query('projections.list');
    if (!answer.ok) throw new Error(`projections.list was refused: ${answer.error.code}`);
    const lag = Math.max(...api.projections.list.output.parse(answer.data).map((projection) => projection.lag));
    const ms = performance.now() - started;
    if (lag === 0 || ms > patienceMs) return ms;
    await pause(20);
  }
}

function residentMiB(engine: RunningEngine): number {
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${engine.pid()}/status`, 'utf8'))?.[1] ?? Number.NaN) / 1024);
}

function sum(figures: readonly number[]): number {
  return figures.reduce((total, figure) => total + figure, 0);
}

function p99(figures: readonly number[]): number {
  return Math.round(figures.toSorted((a, b) => a - b)[Math.floor(figures.length * 0.99)] ?? Number.NaN);
}
