import postgres, { type Sql } from 'postgres';
import { StoreUnavailable } from '../app/ports.ts';
import { openEmbeddedPostgres } from './embedded-postgres.ts';
import { migrate } from './migrations.ts';

export interface Database extends AsyncDisposable {
  readonly sql: Sql;
  /** Several processes may share it, and LISTEN works. */
  readonly shared: boolean;
  /** For people, e.g. `PGlite (embedded)`. */
  readonly runsOn: string;
}

export type DatabaseOptions =
  | { readonly kind: 'embedded' /** Holds the database; made if missing. */; readonly dataDir: string }
  | { readonly kind: 'server'; readonly url: string };

/** Longest that one statement may wait for a lock, or run, ms. */
const lockTimeoutMs = 10_000;
const statementTimeoutMs = 30_000;

/** Opens and migrates. Throws `StoreUnavailable` when it cannot be reached. */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const database = options.kind === 'embedded' ? await openEmbedded(options.dataDir) : openServer(options.url);
  try {
    await migrate(database.sql);
    return database;
  } catch (error) {
    await database[Symbol.asyncDispose]();
    throw new StoreUnavailable('the database cannot be opened: check that it runs and that DATABASE_URL is right', { cause: error });
  }
}

async function openEmbedded(dataDir: string): Promise<Database> {
  const embedded = await openEmbeddedPostgres(dataDir);
  const sql = postgres({
    host: embedded.socketFolder,
    path: embedded.socketPath,
    database: 'postgres',
    username: 'postgres',
    // One connection: PGlite has one session, and its prepared statements live as long as it does.
    max: 1,
    idle_timeout: 0,
    max_lifetime: null,
    onnotice: () => {},
  });
  return {
    sql,
    shared: false,
    runsOn: 'PGlite (embedded)',
    async [Symbol.asyncDispose]() {
      await sql.end({ timeout: 5 });
      await embedded[Symbol.asyncDispose]();
    },
  };
}

function openServer(url: string): Database {
  const sql = postgres(url, {
    max: 8,
    connect_timeout: 5,
    onnotice: () => {},
    connection: { lock_timeout: lockTimeoutMs, statement_timeout: statementTimeoutMs, application_name: 'virtual-tutor-engine' },
  });
  return { sql, shared: true, runsOn: 'PostgreSQL', [Symbol.asyncDispose]: () => sql.end({ timeout: 5 }) };
}
