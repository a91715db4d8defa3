import { join } from 'node:path';
import type { AppOptions } from './app/app.ts';
import type { LogScan } from './app/log-check.ts';
import type { Clock, EventStore, Ids } from './app/ports.ts';
import type { SealOutlet } from './app/seal-ports.ts';
import { Sealing } from './app/sealing.ts';
import type { Config } from './config.ts';
import type { Log } from './log.ts';
import type { Database } from './store/database.ts';
import { SealFolder } from './store/seal-folder.ts';
import { FileSealKeys } from './store/seal-keys.ts';
import { PostgresSealStore } from './store/seal-store.ts';
import { SealCommand } from './workers/seal-command.ts';

export interface SealParts {
  readonly log: Log;
  readonly database: Database;
  readonly events: EventStore;
  readonly scan: LogScan;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly cleanUp: AsyncDisposableStack;
}

/** Sealing as the settings have it, and what a verification reads. */
export function openSeals(
  { dataDir, seals: { folder, command, everyEvents, everyMs, signs } }: Config,
  { log, database, events, scan, clock, ids, cleanUp }: SealParts,
): AppOptions['seals'] {
  const store = new PostgresSealStore(database);
  const exported = new SealFolder(folder);
  const parts = { store, exported, scan };
  if (!signs) return { ...parts, sealing: null };
  const outlets: SealOutlet[] = [exported];
  if (command !== null) outlets.push(new SealCommand({ command, progressFile: join(dataDir, 'seals-handed-over.json') }));
  const sealing = Sealing.start({
    ...{ events, seals: store, outlets, clock, ids, everyEvents, everyMs },
    keys: new FileSealKeys(join(dataDir, 'seal.key')),
    onDefect: (error) => log.error('a seal could not be made or handed over', error),
  });
  cleanUp.defer(() => sealing.close());
  return { ...parts, sealing };
}
