import { randomUUID } from 'node:crypto';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LogVerdict, Seal } from '@virtual-tutor/schemas';
import type { EventStore } from '../../packages/server/src/app/ports.ts';
import { Sealing, type SealingOptions } from '../../packages/server/src/app/sealing.ts';
import { verifyLog } from '../../packages/server/src/app/verify-log.ts';
import type { Database } from '../../packages/server/src/store/database.ts';
import { scanLog } from '../../packages/server/src/store/log-scan.ts';
import { SealFolder } from '../../packages/server/src/store/seal-folder.ts';
import { FileSealKeys } from '../../packages/server/src/store/seal-keys.ts';
import { PostgresSealStore } from '../../packages/server/src/store/seal-store.ts';
import { command, draft } from './drafts.ts';

/** A folder that goes with the test. */
export function temporaryFolder(): Disposable & { readonly path: string; copyOf(other: string): void } {
  const path = mkdtempSync(join(tmpdir(), 'tutor-seals-'));
  return {
    path,
    copyOf: (other) => cpSync(other, path, { recursive: true }),
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
}

export interface SealedLog {
  readonly database: Pick<Database, 'sql'>;
  readonly events: EventStore;
}

/** Seals as an engine does, with key and exported seals in `folder`. Ends when disposed. */
export function startSealing(
  { database, events }: SealedLog,
  folder: string,
  over: Partial<SealingOptions> = {},
): Sealing & AsyncDisposable {
  const sealing = Sealing.start({
    events,
    seals: new PostgresSealStore(database),
    keys: new FileSealKeys(join(folder, 'seal.key')),
    outlets: [new SealFolder(join(folder, 'seals'))],
    clock: { now: () => Date.now() },
    ids: { next: () => randomUUID() },
    everyEvents: 10,
    everyMs: 3_600_000,
    onDefect: () => undefined,
    ...over,
  });
  return Object.assign(sealing, { [Symbol.asyncDispose]: () => sealing.close() });
}

export function sealsOf({ database }: Pick<SealedLog, 'database'>): Promise<readonly Seal[]> {
  return new PostgresSealStore(database).read({ after: -1, limit: 10_000 });
}

export async function exportedSeals(folder: string): Promise<readonly Seal[]> {
  const seals: Seal[] = [];
  for await (const seal of new SealFolder(join(folder, 'seals')).read()) seals.push(seal);
  return seals;
}

export async function verdictOn(
  { database }: Pick<SealedLog, 'database'>,
  folder: string,
  noted: readonly string[] = [],
): Promise<LogVerdict> {
  const options = { seals: new PostgresSealStore(database), exported: new SealFolder(join(folder, 'seals')) };
  for await (const said of verifyLog({ ...options, scan: scanLog(database) }, noted)) if ('verdict' in said) return said;
  throw new Error('no verdict');
}

/** `count` events over six streams that take turns, one command each; every third has a sealed part. */
export async function writeEvents(events: EventStore, count: number, name = 'sealed'): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    const sealed = index % 3 === 0 ? Buffer.from(`ciphertext of ${name} ${index}`) : null;
    const payload = { index, words: `said ${index} in ${name}`, payload: { nested: index } };
    await events.append(command(`${name}-${index % 6}`, 'any', [draft(payload, { sealed, keyId: sealed === null ? null : randomUUID() })]));
  }
}
