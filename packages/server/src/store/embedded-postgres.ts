import { mkdir, open, readFile, rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { Worker } from 'node:worker_threads';

export interface EmbeddedPostgres extends AsyncDisposable {
  readonly socketFolder: string;
  readonly socketPath: string;
}

/** Another process has the data folder: two of them on one folder would destroy it. */
export class DataFolderInUse extends Error {
  override readonly name = 'DataFolderInUse';
  constructor(folder: string, pid: number) {
    super(`the data folder ${folder} is in use by process ${pid}: stop that engine first, or start this one with another DATA_DIR`);
  }
}

/**
 * PGlite in a thread of its own, since it is synchronous while it works; reached over a Unix socket in
 * the data folder, so that one driver serves PGlite and PostgreSQL alike.
 */
export async function openEmbeddedPostgres(dataDir: string): Promise<EmbeddedPostgres> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const lock = await lockFolder(dataDir);
  // Socket addresses are short (108 bytes): name it relative to where the process stands.
  const socketPath = relative(process.cwd(), join(dataDir, '.s.PGSQL.5432')) || '.s.PGSQL.5432';
  await rm(socketPath, { force: true });
  const worker = new Worker(new URL('./embedded-postgres-worker.ts', import.meta.url), {
    workerData: { folder: join(dataDir, 'pglite'), socketPath },
  });
  try {
    await said(worker, 'ready');
  } catch (error) {
    await worker.terminate();
    await lock[Symbol.asyncDispose]();
    throw error;
  }
  worker.unref();
  return {
    socketFolder: dataDir,
    socketPath,
    async [Symbol.asyncDispose]() {
      worker.ref();
      worker.postMessage('close');
      await said(worker, 'closed');
      await worker.terminate();
      await lock[Symbol.asyncDispose]();
    },
  };
}

function said(worker: Worker, word: string): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.on('message', (message: unknown) => {
      if (message === word) resolve();
    });
    worker.once('error', reject);
    worker.once('exit', () => reject(new Error('the embedded database stopped')));
  });
}

/** One process per folder. A lock whose process is gone, after kill -9 or a power cut, is taken over. */
async function lockFolder(dataDir: string): Promise<AsyncDisposable> {
  const path = join(dataDir, 'engine.lock');
  const mine = `${process.pid} ${await startTimeOf(process.pid)}\n`;
  for (;;) {
    try {
      const file = await open(path, 'wx', 0o600);
      await file.writeFile(mine);
      await file.close();
      return { [Symbol.asyncDispose]: () => rm(path, { force: true }) };
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
    const held = await readFile(path, 'utf8').catch(() => '');
    const [pid = '', startTime = ''] = held.trim().split(' ');
    if (held !== '' && (await startTimeOf(Number(pid))) === startTime) throw new DataFolderInUse(dataDir, Number(pid));
    await rm(path, { force: true });
  }
}

/** Tells a process from a later one with the same pid; '' when it is not running. Where there is no /proc, being alive must do. */
async function startTimeOf(pid: number): Promise<string> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return process.platform !== 'linux' && isAlive(pid) ? 'alive' : '';
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
