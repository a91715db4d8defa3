import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EventStore } from '../../packages/server/src/app/ports.ts';
import { type Database, openDatabase } from '../../packages/server/src/store/database.ts';
import { MemoryEventStore } from '../../packages/server/src/store/memory-event-store.ts';
import { PostgresEventStore } from '../../packages/server/src/store/postgres-event-store.ts';
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
export type StoreKind = 'memory' | DatabaseKind;

export const storeKinds: readonly StoreKind[] = ['memory', 'PGlite', 'PostgreSQL'];
export const databaseKinds: readonly DatabaseKind[] = ['PGlite', 'PostgreSQL'];

/** `describe`, or a skip that `npm test` speaks of where PostgreSQL is not installed. */
export function describeOn(kind: StoreKind) {
  return describeWith(kind !== 'PostgreSQL' || postgresAvailable, 'PostgreSQL');
}

export async function openStore(kind: StoreKind): Promise<OpenStore> {
  if (kind !== 'memory') return openDatabaseStore(kind);
  const store = new MemoryEventStore();
  return { store, [Symbol.asyncDispose]: () => store.close() };
}

export async function openDatabaseStore(kind: DatabaseKind): Promise<OpenDatabaseStore> {
  await using cleanUp = new AsyncDisposableStack();
  const dataDir = kind === 'PGlite' ? mkdtempSync(join(tmpdir(), 'tutor-data-')) : null;
  if (dataDir !== null) {
    cleanUp.defer(() => rmSync(dataDir, { recursive: true, force: true }));
    await putDatabaseInto(dataDir);
  }
  const server = kind === 'PostgreSQL' ? cleanUp.use(await startPostgres()) : null;
  const database = cleanUp.use(
    await openDatabase(server === null ? { kind: 'embedded', dataDir: dataDir ?? '' } : { kind: 'server', url: server.url }),
  );
  const store = await PostgresEventStore.open(database);
  cleanUp.defer(() => store.close());
  const resources = cleanUp.move();
  return { store, database, dataDir, server, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}
