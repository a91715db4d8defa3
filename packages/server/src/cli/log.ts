import { copyLog } from '../app/copy-log.ts';
import type { Config } from '../config.ts';
import { openDatabase } from '../store/database.ts';
import { KurrentEventStore } from '../store/kurrent/kurrent-event-store.ts';
import { PostgresEventStore } from '../store/postgres-event-store.ts';
import { findRunning } from './engine-client.ts';
import { UsageError } from './usage-error.ts';

export const logUsage = `  log copy kurrentdb|postgres       copy the log from the other one, and compare both; the engine must be stopped`;

const toldEvery = 10_000;

/** Moves an operator from one log to the other: she changes EVENT_STORE when both are the same. */
export async function log(config: Config, [verb, target]: readonly (string | undefined)[]): Promise<number> {
  if (verb !== 'copy' || (target !== 'kurrentdb' && target !== 'postgres')) throw new UsageError(`usage:\n${logUsage}`);
  if (config.kurrentUrl === null) throw new UsageError('which KurrentDB? set KURRENTDB_URL');
  if ((await findRunning(config)) !== null) throw new UsageError('stop the engine first: nobody may write while the log is copied');
  await using cleanUp = new AsyncDisposableStack();
  const database = cleanUp.use(
    await openDatabase(
      config.databaseUrl === null ? { kind: 'embedded', dataDir: config.dataDir } : { kind: 'server', url: config.databaseUrl },
    ),
  );
  const postgres = await PostgresEventStore.open(database);
  cleanUp.defer(() => postgres.close());
  const kurrent = await KurrentEventStore.open({
    url: config.kurrentUrl,
    sql: database.sql,
    onDefect: (error) => console.error(error instanceof Error ? error.message : 'the index of KurrentDB cannot be kept'),
  });
  cleanUp.defer(() => kurrent.close());
  const [from, to] = target === 'kurrentdb' ? [postgres, kurrent] : [kurrent, postgres];
  let told = 0;
  const { events, streams, fingerprint } = await copyLog(from, to, (position) => {
    if (position - told < toldEvery) return;
    told = position;
    console.log(`${position} events`);
  });
  console.log(`both logs hold the same ${events} events in ${streams} streams\nfingerprint ${fingerprint}`);
  console.log(`now start the engine with EVENT_STORE=${target}`);
  return 0;
}
