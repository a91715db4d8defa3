import { execFileSync, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';

const binFolder = [
  '/usr/lib/postgresql/17/bin',
  '/usr/lib/postgresql/16/bin',
  '/usr/lib/postgresql/15/bin',
  '/usr/lib/postgresql/13/bin',
].find((folder) => existsSync(join(folder, 'initdb')));

/** PostgreSQL's own programs are here. */
export const postgresAvailable = binFolder !== undefined;

export interface PostgresServer extends AsyncDisposable {
  readonly url: string;
  /** Of one of its databases. */
  urlOf(database: string): string;
  /** Its own, gone with it. */
  readonly folder: string;
  readonly dataDir: string;
  readonly port: number;
  /** Without a word of warning, every process of it. */
  kill(): Promise<void>;
  /** `pg_ctl -m immediate`: no checkpoint. */
  stopImmediately(): void;
  start(): Promise<void>;
  /** Of a standby: it takes writes from now on. */
  promote(): void;
  /** A fresh, empty database. */
  createDatabase(name: string): Promise<string>;
  /** Path of one of PostgreSQL's programs. */
  program(name: string): string;
}

function endNow(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself in between.
  }
}

/** A zombie is not. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** Postgres refuses to run as root. */
function unprivileged(): { readonly uid?: number; readonly gid?: number } {
  if (userInfo().uid !== 0) return {};
  const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => (typeof address === 'object' && address !== null ? resolve(address.port) : reject(new Error('no port'))));
    });
  });
}

/** A throw-away PostgreSQL on loopback, with its data folder under `home`; gone when disposed. `settings`: `name=value`. */
export function startPostgres(settings: readonly string[] = [], home = tmpdir()): Promise<PostgresServer> {
  const fill = ['initdb', '-U', 'tutor', '--auth=trust', '--no-instructions', '--no-sync', '--encoding=UTF8', '--locale=C'] as const;
  return startCluster(fill, { settings, home });
}

/** Follows `primary` by streaming until it is promoted. */
export function startStandby(primary: PostgresServer): Promise<PostgresServer> {
  const from = ['-h', '127.0.0.1', '-p', String(primary.port), '-U', 'tutor'];
  return startCluster(['pg_basebackup', ...from, '--write-recovery-conf', '--checkpoint=fast', '--no-sync'], {
    settings: [],
    home: tmpdir(),
  });
}

/** `fill`: the program, with arguments, that fills the data folder. */
async function startCluster(
  [filler, ...fillWith]: readonly [string, ...string[]],
  { settings, home }: { readonly settings: readonly string[]; readonly home: string },
): Promise<PostgresServer> {
  if (binFolder === undefined) throw new Error('PostgreSQL is not installed');
  const program = (name: string) => join(binFolder, name);
  const folder = mkdtempSync(join(home, 'tutor-pg-'));
  const dataDir = join(folder, 'data');
  const port = await freePort();
  const who = unprivileged();
  if (who.uid !== undefined && who.gid !== undefined) chownSync(folder, who.uid, who.gid);
  const run = (name: string, args: readonly string[]) => execFileSync(program(name), args, { ...who, cwd: folder, stdio: 'pipe' });
  run(filler, [...fillWith, '-D', dataDir]);

  const url = (database: string) => `postgres://tutor@127.0.0.1:${port}/${database}`;
  async function start(): Promise<void> {
    const options = [`-D`, dataDir, '-p', String(port), '-k', folder, '-h', '127.0.0.1', ...settings.flatMap((setting) => ['-c', setting])];
    const keeper = spawn('sh', ['-c', keepWhileRead, 'sh', folder, program('postgres'), ...options], {
      ...who,
      cwd: folder,
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    });
    keeper.unref();
    await untilItAnswers(url('postgres'));
  }
  const pid = () => Number(readFileSync(join(dataDir, 'postmaster.pid'), 'utf8').split('\n')[0]);
  const stop = () => run('pg_ctl', ['-D', dataDir, '-m', 'immediate', '-w', 'stop']);
  await start();
  return {
    url: url('postgres'),
    urlOf: url,
    folder,
    dataDir,
    port,
    start,
    program,
    kill: () => killTree(pid()),
    stopImmediately() {
      stop();
    },
    promote() {
      run('pg_ctl', ['-D', dataDir, '-w', 'promote']);
    },
    async createDatabase(name) {
      const sql = postgres(url('postgres'), { max: 1, fetch_types: false, onnotice: () => {} });
      await sql.unsafe(`create database "${name}"`);
      await sql.end();
      return url(name);
    },
    async [Symbol.asyncDispose]() {
      if (existsSync(join(dataDir, 'postmaster.pid')) && isRunning(pid())) stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Runs a server until it ends or whoever holds the other end of the pipe does, even by kill -9; then nothing of it stays. */
const keepWhileRead = 'folder="$1"; shift; exec 3<&0; "$@" & cat <&3 >/dev/null; kill -QUIT $! 2>/dev/null; wait; rm -rf "$folder"';

async function untilItAnswers(url: string): Promise<void> {
  for (let tries = 0; tries < 400; tries += 1) {
    const sql = postgres(url, { max: 1, connect_timeout: 1, fetch_types: false, onnotice: () => {} });
    try {
      await sql`select 1`;
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    } finally {
      await sql.end({ timeout: 1 });
    }
  }
  throw new Error('PostgreSQL did not start in 20 s');
}

/** kill -9 of the postmaster and its backends, each of which leads a process group of its own. */
async function killTree(postmaster: number): Promise<void> {
  const children = readFileSync(`/proc/${postmaster}/task/${postmaster}/children`, 'utf8').trim();
  const all = [postmaster, ...(children === '' ? [] : children.split(' ').map(Number))];
  for (const one of all) endNow(one);
  for (let tries = 0; all.some(isRunning); tries += 1) {
    if (tries > 500) throw new Error('PostgreSQL outlived kill -9 by 10 s');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
