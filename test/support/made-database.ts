import { createHash } from 'node:crypto';
import { constants, cpSync, existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { openDatabase } from '../../packages/server/src/store/database.ts';

const root = join(import.meta.dirname, '..', '..');
const made = join(root, 'temp', 'databases');
const dayMs = 86_400_000;
/** What an empty database is made by. */
const makers = ['packages/server/src/store/**/*.ts', 'pnpm-lock.yaml'];

/**
 * Puts an empty embedded database into a data folder, as the engine makes it on its first start. Making it takes
 * seconds, so it is made once, kept in `temp/`, and copied. What a first start does besides is left to the engine;
 * that it makes its database itself is tested by `store-embedded.test.ts`.
 */
export async function putDatabaseInto(dataDir: string): Promise<void> {
  const wanted = join(made, hashOfMakers());
  if (!existsSync(wanted)) await make(wanted);
  cpSync(wanted, dataDir, { recursive: true, mode: constants.COPYFILE_FICLONE });
}

function hashOfMakers(): string {
  const hash = createHash('sha256');
  for (const file of makers.flatMap((pattern) => globSync(pattern, { cwd: root })).sort()) hash.update(readFileSync(join(root, file)));
  return hash.digest('hex').slice(0, 16);
}

async function make(wanted: string): Promise<void> {
  mkdirSync(made, { recursive: true });
  for (const name of globSync('*', { cwd: made })) {
    const old = join(made, name);
    if (statSync(old).mtimeMs < Date.now() - dayMs) rmSync(old, { recursive: true, force: true });
  }
  const folder = mkdtempSync(join(made, 'new-'));
  const database = await openDatabase({ kind: 'embedded', dataDir: folder });
  await database[Symbol.asyncDispose]();
  try {
    renameSync(folder, wanted);
  } catch (error) {
    // Another test made one at the same time.
    if (!existsSync(wanted)) throw error;
    rmSync(folder, { recursive: true });
  }
}
