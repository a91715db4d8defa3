import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EventStore } from '../../packages/server/src/app/ports.ts';
import { type Database, openDatabase } from '../../packages/server/src/store/database.ts';
import { KurrentEventStore } from '../../packages/server/src/store/kurrent/kurrent-event-store.ts';
import { MemoryEventStore } from '../../packages/server/src/store/memory-event-store.ts';
import { PostgresEventStore } from '../../packages/server/src/store/postgres-event-store.ts';
import { KurrentStandIn } from './kurrent-stand-in.ts';
import { describeWith } from './loud-skip.ts';
import { putDatabaseInto } from './made-database.ts';
import { type PostgresServer, postgresAvailable, startPostgres } from './postgres.ts';

export interface OpenStore extends AsyncDisposable {
  readonly store: EventStore;
}

export interface OpenDatabaseStore extends OpenStore {
  readonly database: Database;
  /** Of the embedded one. */
  readonly dataDir: string | null;
  readonly server: PostgresServer | null;
}

export type DatabaseKind = 'PGlite' | 'PostgreSQL';
/** KurrentDB's index lies in a PGlite. `KURRENTDB_URL`, of a log without events of ours, takes the stand-in's place. */
export type StoreKind = 'memory' | DatabaseKind | 'KurrentDB';

export const storeKinds: readonly StoreKind[] = ['memory', 'PGlite', 'PostgreSQL', 'KurrentDB'];
export const databaseKinds: readonly DatabaseKind[] = ['PGlite', 'PostgreSQL'];

/** `describe`, or a skip that `npm test` speaks of where PostgreSQL is not installed. */
export function describeOn(kind: StoreKind) {
  return describeWith(kind !== 'PostgreSQL' || postgresAvailable, 'PostgreSQL');
}

export async function openStore(kind: StoreKind): Promise<OpenStore> {
  if (kind === 'KurrentDB') return openKurrentStore();
  if (kind !== 'memory') return openDatabaseStore(kind);
  const store = new MemoryEventStore();
  return { store, [Symbol.asyncDispose]: () => store.close() };
}

export interface OpenKurrentStore extends OpenStore {
  readonly database: Database;
  /** Null: a real server. */
  readonly standIn: KurrentStandIn | null;
  /** Another node's view of the same log, with an index of its own. */
  beside(): Promise<OpenStore>;
}

/** `answerMs`: longest wait for the server. */
export async function openKurrentStore(answerMs = 5_000): Promise<OpenKurrentStore> {
  await using cleanUp = new AsyncDisposableStack();
  const given = process.env['KURRENTDB_URL'];
  const standIn = given === undefined ? cleanUp.use(await KurrentStandIn.start()) : null;
  const url = standIn?.url ?? given ?? '';
  const onDefect = (error: unknown) => {
    throw error;
  };
  const openBeside = async (): Promise<OpenStore & { readonly database: Database }> => {
    await using beside = new AsyncDisposableStack();
    const { database } = beside.use(await openDatabaseStore('PGlite'));
    const store = await KurrentEventStore.open({ url, sql: database.sql, answerMs, onDefect });
    beside.defer(() => store.close());
    const kept = beside.move();
    return { store, database, [Symbol.asyncDispose]: () => kept.disposeAsync() };
  };
  const { store, database } = cleanUp.use(await openBeside());
  const resources = cleanUp.move();
  return { store, database, standIn, beside: openBeside, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}

/** `settings`: of PostgreSQL, `name=value`. */
export async function openDatabaseStore(kind: DatabaseKind, settings: readonly string[] = []): Promise<OpenDatabaseStore> {
  await using cleanUp = new AsyncDisposableStack();
  const dataDir = kind === 'PGlite' ? mkdtempSync(join(tmpdir(), 'tutor-data-')) : null;
  if (dataDir !== null) {
    cleanUp.defer(() => rmSync(dataDir, { recursive: true, force: true }));
    await putDatabaseInto(dataDir);
  }
  const server = kind === 'PostgreSQL' ? cleanUp.use(await startPostgres(settings)) : null;
  const database = cleanUp.use(
    await openDatabase(server === null ? { kind: 'embedded', dataDir: dataDir ?? '' } : { kind: 'server', url: server.url }),
  );
  const store = await PostgresEventStore.open(database);
  cleanUp.defer(() => store.close());
  const resources = cleanUp.move();
  return { store, database, dataDir, server, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}
