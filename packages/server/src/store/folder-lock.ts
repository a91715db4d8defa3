import { mkdir, open, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Another process has the data folder: two of them on one folder would destroy it. */
export class DataFolderInUse extends Error {
  override readonly name = 'DataFolderInUse';
  constructor(folder: string, pid: number) {
    super(`the data folder ${folder} is in use by process ${pid}: stop that engine first, or start this one with another DATA_DIR`);
  }
}

const claimName = /^engine-(\d+)-(\d+|alive)\.lock$/;

/**
 * One process per folder. Each puts down a claim named by its pid and start time and then looks for
 * others: a name never comes back, so a claim whose process is gone, after kill -9 or a power cut, can be
 * removed without taking away a live one. Of two that start in the same instant both may be refused,
 * never neither.
 */
export async function lockFolder(folder: string): Promise<AsyncDisposable> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const mine = `engine-${process.pid}-${await startTimeOf(process.pid)}.lock`;
  const release = () => rm(join(folder, mine), { force: true });
  // Twice in one process is refused by the file system.
  const claim = await open(join(folder, mine), 'wx', 0o600).catch((error: unknown) => {
    throw error instanceof Error && 'code' in error && error.code === 'EEXIST' ? new DataFolderInUse(folder, process.pid) : error;
  });
  await claim.close();
  for (const name of await readdir(folder)) {
    const [, pid, startTime] = claimName.exec(name) ?? [];
    if (pid === undefined || name === mine) continue;
    if ((await startTimeOf(Number(pid))) === startTime) {
      await release();
      throw new DataFolderInUse(folder, Number(pid));
    }
    await rm(join(folder, name), { force: true });
  }
  return { [Symbol.asyncDispose]: release };
}

/** Tells a process from a later one with the same pid; '' when it is not running. Where there is no /proc, being alive must do. */
async function startTimeOf(pid: number): Promise<string> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // Field 22, counted from behind the command's name, which may hold spaces and brackets (proc(5)).
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return process.platform !== 'linux' && isAlive(pid) ? 'alive' : '';
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Alive, but somebody else's.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
