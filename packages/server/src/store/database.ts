import { connect, type Socket } from 'node:net';
import postgres, { type Sql } from 'postgres';
import { StoreUnavailable } from '../app/ports.ts';
import { openEmbeddedPostgres } from './embedded-postgres.ts';
import { migrate, SchemaTooNew } from './migrations.ts';
import type { ListenHandlers } from './wake-ups.ts';
import { dialWatched } from './watched-socket.ts';

export interface Database extends AsyncDisposable {
  readonly sql: Sql;
  /** For appends: one connection, which keeps its plan warm and never waits behind a long read. */
  readonly appends: Sql;
  /** A client of its own, with one connection, for LISTEN; null where no other process can write. The caller ends it. */
  readonly listener: ((handlers: ListenHandlers) => Sql) | null;
  /** For people, e.g. `PGlite (embedded)`. */
  readonly runsOn: string;
}

export type DatabaseOptions =
  | { readonly kind: 'embedded' /** Holds the database; made if missing. */; readonly dataDir: string }
  | { readonly kind: 'server'; readonly url: string; readonly limits?: DatabaseLimits };

export interface DatabaseLimits {
  /** Longest wait of one statement for a lock, ms. */
  readonly lockMs: number;
  /** Longest run of one statement, ms. */
  readonly statementMs: number;
  /** Longest silence after something was asked, ms; more than `statementMs`. */
  readonly silenceMs: number;
}

const defaultLimits: DatabaseLimits = { lockMs: 10_000, statementMs: 30_000, silenceMs: 35_000 };

/** Opens and migrates. Throws `StoreUnavailable` when it cannot be reached. */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const database = options.kind === 'embedded' ? await openEmbedded(options.dataDir) : openServer(options.url, options.limits);
  try {
    await migrate(database.sql);
    return database;
  } catch (error) {
    await database[Symbol.asyncDispose]();
    if (error instanceof SchemaTooNew) throw error;
    throw new StoreUnavailable('the database cannot be opened: check that it runs and that DATABASE_URL is right', { cause: error });
  }
}

async function openEmbedded(dataDir: string): Promise<Database> {
  const embedded = await openEmbeddedPostgres(dataDir);
  const sql = postgres({
    path: embedded.socketPath,
    database: 'postgres',
    username: 'postgres',
    // One connection: PGlite has one session, and its prepared statements live as long as it does.
    max: 1,
    idle_timeout: 0,
    max_lifetime: null,
    fetch_types: false,
    onnotice: () => {},
  });
  return {
    sql,
    appends: sql,
    listener: null,
    runsOn: 'PGlite (embedded)',
    async [Symbol.asyncDispose]() {
      await sql.end({ timeout: 5 });
      await embedded[Symbol.asyncDispose]();
    },
  };
}

function openServer(url: string, limits = defaultLimits): Database {
  const common = {
    connect_timeout: 5,
    // Seconds. The driver's own grows to 20 s, during which a database that is back goes unnoticed.
    backoff: () => 0.2,
    // The driver asks for array types, which we never use, in a promise that nobody holds: a connection that
    // breaks just then would be an unhandled rejection.
    fetch_types: false,
    onnotice: () => {},
  };
  const connection = {
    application_name: 'virtual-tutor-engine',
    lock_timeout: limits.lockMs,
    statement_timeout: limits.statementMs,
    idle_in_transaction_session_timeout: limits.statementMs,
    default_transaction_isolation: 'read committed',
  } as const;
  const open = (max: number) =>
    postgres(url, {
      ...common,
      ...{ socket: dialer(limits.silenceMs) },
      max,
      // Seconds; see `dialWatched`.
      idle_timeout: limits.silenceMs / 2_000,
      connection,
    });
  const [sql, appends] = [open(8), open(1)];
  return {
    sql,
    appends,
    listener: ({ onNotify, onLost }) =>
      postgres(url, {
        ...common,
        ...{ onnotify: onNotify },
        max: 1,
        idle_timeout: 0,
        max_lifetime: null,
        connection: { application_name: 'virtual-tutor-engine listener' },
        onclose: onLost,
      }),
    runsOn: 'PostgreSQL',
    async [Symbol.asyncDispose]() {
      await Promise.all([sql.end({ timeout: 5 }), appends.end({ timeout: 5 })]);
    },
  };
}

interface Target {
  readonly host: readonly string[];
  readonly port: readonly number[];
  /** Of a Unix socket, else false. */
  readonly path: string | false;
}

/** The driver's `socket` option: called with its parsed options for every new connection, to each host in turn. */
function dialer(silenceMs: number): (target: Target) => Socket {
  let dialled = -1;
  return ({ host, port, path }) => {
    if (path !== false) return connect({ path });
    dialled = (dialled + 1) % host.length;
    return dialWatched({ host: host[dialled] ?? 'localhost', port: port[dialled] ?? 5432 }, silenceMs);
  };
}
