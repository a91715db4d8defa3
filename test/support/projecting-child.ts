import { openDatabase } from '../../packages/server/src/store/database.ts';
import { PostgresEventStore } from '../../packages/server/src/store/postgres-event-store.ts';
import { PostgresProjectionStore } from '../../packages/server/src/store/projection-store.ts';
import { counting, startProjector } from './projecting.ts';

/** A node of its own that does nothing but project, in small batches; it says what became of each, and of each claim. */
const [kind = '', where = '', owner = ''] = process.argv.slice(2);
const database = await openDatabase(kind === 'embedded' ? { kind: 'embedded', dataDir: where } : { kind: 'server', url: where });

class SpeakingStore extends PostgresProjectionStore {
  override async claim(...options: Parameters<PostgresProjectionStore['claim']>) {
    const lanes = await super.claim(...options);
    process.stdout.write(`claimed ${lanes.length}\n`);
    return lanes;
  }

  override async commit(...batch: Parameters<PostgresProjectionStore['commit']>) {
    const outcome = await super.commit(...batch);
    process.stdout.write(`${outcome.status}\n`);
    return outcome;
  }
}

await startProjector({
  events: await PostgresEventStore.open(database),
  store: new SpeakingStore(database),
  projections: [counting('killed')],
  owner,
  batchSize: 3,
});
