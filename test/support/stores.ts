import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EventStore } from '../../packages/server/src/app/ports.ts';
import { type Database, openDatabase } from '../../packages/server/src/store/database.ts';
import { MemoryEventStore } from '../../packages/server/src/store/memory-event-store.ts';
import { PostgresEventStore } from '../../packages/server/src/store/postgres-event-store.ts';
import { type PostgresServer, postgresAvailable, startPostgres } from './postgres.ts';

export interface OpenStore extends AsyncDisposable {
  readonly store: EventStore;
  /** Null for the one in memory. */
  readonly database: Database | null;
  /** Of the embedded one. */
  readonly dataDir: string | null;
  readonly server: PostgresServer | null;
}

export type StoreKind = 'memory' | 'PGlite' | 'PostgreSQL';

/** Those that can run here. */
export const storeKinds: readonly StoreKind[] = postgresAvailable ? ['memory', 'PGlite', 'PostgreSQL'] : ['memory', 'PGlite'];
export const databaseKinds: readonly Exclude<StoreKind, 'memory'>[] = postgresAvailable ? ['PGlite', 'PostgreSQL'] : ['PGlite'];

export async function openStore(kind: StoreKind): Promise<OpenStore> {
  if (kind === 'memory') {
    const store = new MemoryEventStore();
    return { store, database: null, dataDir: null, server: null, [Symbol.asyncDispose]: () => store.close() };
  }
  const cleanUp = new AsyncDisposableStack();
  const dataDir = kind === 'PGlite' ? mkdtempSync(join(tmpdir(), 'tutor-data-')) : null;
  if (dataDir !== null) cleanUp.defer(() => rmSync(dataDir, { recursive: true, force: true }));
  const server = kind === 'PostgreSQL' ? cleanUp.use(await startPostgres()) : null;
  const database = cleanUp.use(
    await openDatabase(server === null ? { kind: 'embedded', dataDir: dataDir ?? '' } : { kind: 'server', url: server.url }),
  );
  const store = await PostgresEventStore.open(database);
  cleanUp.defer(() => store.close());
  return { store, database, dataDir, server, [Symbol.asyncDispose]: () => cleanUp.disposeAsync() };
}
