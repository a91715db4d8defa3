/*
 * A process that writes to an embedded log until it is killed: `node embedded-writer.ts FOLDER NAME`.
 * Says `ready`, then the id of every event that was answered as stored, one a line.
 */
import { openDatabase } from '../../packages/server/src/store/database.ts';
import { PostgresEventStore } from '../../packages/server/src/store/postgres-event-store.ts';
import { command } from './drafts.ts';

const [dataDir = '', name = ''] = process.argv.slice(2);
const writers = 4;

async function write(store: PostgresEventStore, writer: number): Promise<never> {
  for (let revision = 0; ; revision += 1) {
    const request = command(`${name}-${writer}`, revision === 0 ? 'none' : revision);
    await store.append(request);
    for (const { id } of request.events) process.stdout.write(`${id}\n`);
  }
}

try {
  const store = await PostgresEventStore.open(await openDatabase({ kind: 'embedded', dataDir }));
  process.stdout.write('ready\n');
  await Promise.all(Array.from({ length: writers }, (_, writer) => write(store, writer)));
} catch (error) {
  process.stdout.write(`refused: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(3);
}
