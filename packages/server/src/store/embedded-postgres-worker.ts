import { closeSync, existsSync, fsyncSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';
import { z } from 'zod';
import { DurableNodeFs, durableStart } from './durable-node-fs.ts';

const { folder, socketPath } = z.object({ folder: z.string(), socketPath: z.string() }).parse(workerData);

function open(path: string): Promise<PGlite> {
  return PGlite.create({ fs: new DurableNodeFs(path), startParams: durableStart });
}

/** Made beside its place and moved there when complete and on disk: a first start that is cut short starts over. */
async function create(): Promise<void> {
  const draft = `${folder}.new`;
  rmSync(draft, { recursive: true, force: true });
  const db = await open(draft);
  await db.close();
  for (const entry of readdirSync(draft, { recursive: true, encoding: 'utf8' })) toDisk(join(draft, entry));
  renameSync(draft, folder);
  toDisk(dirname(folder));
}

function toDisk(path: string): void {
  const file = openSync(path, 'r');
  fsyncSync(file);
  closeSync(file);
}

if (!existsSync(folder)) await create();
const db = await open(folder);
const server = new PGLiteSocketServer({ db, path: socketPath });
await server.start();
parentPort?.once('message', async () => {
  await server.stop();
  await db.close();
  parentPort?.postMessage('closed');
});
parentPort?.postMessage('ready');
