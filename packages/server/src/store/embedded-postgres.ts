import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { Worker } from 'node:worker_threads';
import { lockFolder } from './folder-lock.ts';

export interface EmbeddedPostgres extends AsyncDisposable {
  readonly socketPath: string;
}

/** The address of a Unix socket is this short, in bytes (unix(7), less its final zero; macOS: 103). */
const maxSocketPath = 103;

/**
 * PGlite in a thread of its own, since it is synchronous while it works; reached over a Unix socket, so
 * that one driver serves PGlite and PostgreSQL alike.
 */
export async function openEmbeddedPostgres(dataDir: string): Promise<EmbeddedPostgres> {
  await using cleanUp = new AsyncDisposableStack();
  cleanUp.use(await lockFolder(dataDir));
  const socketPath = await socketPathIn(dataDir, cleanUp);
  const worker = new Worker(new URL('./embedded-postgres-worker.ts', import.meta.url), {
    workerData: { folder: join(dataDir, 'pglite'), socketPath },
  });
  cleanUp.defer(async () => {
    await worker.terminate();
  });
  await said(worker, 'ready');
  cleanUp.defer(async () => {
    worker.ref();
    worker.postMessage('close');
    await said(worker, 'closed');
  });
  worker.unref();
  const resources = cleanUp.move();
  return { socketPath, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}

/** In the data folder, which only its owner enters; where that is named at too great a length, in a private temporary one. */
async function socketPathIn(dataDir: string, cleanUp: AsyncDisposableStack): Promise<string> {
  const name = '.s.PGSQL.5432';
  const path = join(dataDir, name);
  const fits = [path, relative(process.cwd(), path)].find((one) => Buffer.byteLength(one) <= maxSocketPath);
  const folder = fits === undefined ? await mkdtemp(join(tmpdir(), 'tutor-')) : null;
  if (folder !== null) cleanUp.defer(() => rm(folder, { recursive: true, force: true }));
  const chosen = fits ?? join(folder ?? dataDir, name);
  await rm(chosen, { force: true });
  return chosen;
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
