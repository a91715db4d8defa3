import { parentPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';
import { z } from 'zod';

const { folder, socketPath } = z.object({ folder: z.string(), socketPath: z.string() }).parse(workerData);
const db = await PGlite.create(folder);
const server = new PGLiteSocketServer({ db, path: socketPath });
await server.start();
parentPort?.once('message', async () => {
  await server.stop();
  await db.close();
  parentPort?.postMessage('closed');
});
parentPort?.postMessage('ready');
