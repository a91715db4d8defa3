import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { canonicalSeal } from '../../packages/server/src/app/seal.ts';
import { openDatabase } from '../../packages/server/src/store/database.ts';
import { PostgresEventStore } from '../../packages/server/src/store/postgres-event-store.ts';
import { SealFolder } from '../../packages/server/src/store/seal-folder.ts';
import { FileSealKeys } from '../../packages/server/src/store/seal-keys.ts';
import { PostgresSealStore } from '../../packages/server/src/store/seal-store.ts';
import { startSealing } from './sealed-log.ts';

/*
 * A node that seals what is in the log, five events a seal, and changes its key again and again. It says so before and after each
 * step that leaves something behind, and notes in `seen` every seal that it would let out of the process.
 */
const [url = '', folder = ''] = process.argv.slice(2);
const database = await openDatabase({ kind: 'server', url });

function speaking<T extends object>(target: T, methods: readonly (keyof T)[]): T {
  return new Proxy(target, {
    get(_, name) {
      const member = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      if (!methods.some((method) => method === name)) return member.bind(target);
      return async (...args: unknown[]) => {
        process.stdout.write(`before ${String(name)}\n`);
        const result = await Reflect.apply(member, target, args);
        process.stdout.write(`after ${String(name)}\n`);
        return result;
      };
    },
  });
}

class NotingFolder extends SealFolder {
  override async take(...given: Parameters<SealFolder['take']>): Promise<void> {
    appendFileSync(join(folder, 'seen'), `${canonicalSeal(given[0])}\n`);
    await super.take(...given);
  }
}

const sealing = startSealing({ database, events: await PostgresEventStore.open(database) }, folder, {
  everyEvents: 5,
  everyMs: 50,
  seals: speaking(new PostgresSealStore(database), ['add']),
  keys: speaking(new FileSealKeys(join(folder, 'seal.key')), ['own', 'next']),
  outlets: [speaking(new NotingFolder(join(folder, 'seals')), ['take'])],
});
for (;;) await sealing.rotateKey();
