import { existsSync } from 'node:fs';
import { open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';
import { z } from 'zod';
import { openDurablePglite } from './durable-pglite.ts';

const { folder, socketPath } = z.object({ folder: z.string(), socketPath: z.string() }).parse(workerData);

/** Made beside its place and moved there when complete and on disk: a first start that is cut short starts over. */
async function create(): Promise<void> {
  const draft = `${folder}.new`;
  await rm(draft, { recursive: true, force: true });
  const db = await PGlite.create(draft);
  await db.close();
  await Promise.all((await readdir(draft, { recursive: true })).map((entry) => toDisk(join(draft, entry))));
  await rename(draft, folder);
  await toDisk(dirname(folder));
}

async function toDisk(path: string): Promise<void> {
  await using file = await open(path, 'r');
  await file.sync();
}

if (!existsSync(folder)) await create();
const db = await openDurablePglite(folder);
const server = new PGLiteSocketServer({ db, path: socketPath });
await server.start();
parentPort?.once('message', async () => {
  await server.stop();
  await db.close();
  parentPort?.postMessage('closed');
});
parentPort?.postMessage('ready');
