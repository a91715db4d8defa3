import { constants, type Stats } from 'node:fs';
import { type FileHandle, open, readlink, realpath, stat } from 'node:fs/promises';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import { systemCode } from './system-error.ts';

export type ConfinedPathRefusal =
  | 'invalid_input'
  | 'outside'
  | 'not_found'
  | 'not_a_file'
  /** A folder, and not one of the predecessor's. */
  | 'not_an_avatar'
  | 'payload_too_large'
  | 'unreadable'
  /** The path led elsewhere when it was opened than when it was checked. */
  | 'changed'
  /** The allowed directory itself is not there. */
  | 'no_folder';

/** A path that may not be read. Static text and no cause: the operating system's own errors name the file, which may name a person. */
export class ConfinedPathRefused extends Error {
  override readonly name = 'ConfinedPathRefused';
  readonly code: ConfinedPathRefusal;
  constructor(code: ConfinedPathRefusal, message: string) {
    super(message);
    this.code = code;
  }
}

export interface ConfinedFile extends AsyncDisposable {
  /** Opened for reading: what was checked is what is read, whatever becomes of the path. The receiver closes it. */
  readonly handle: FileHandle;
  /** When it was opened. */
  readonly bytes: number;
}

export interface ConfinedPath {
  /** The one allowed directory. */
  readonly folder: string;
  /** As the operator gave it: relative to the folder, or absolute. */
  readonly path: string;
}

/**
 * Where a path in the folder really leads, links followed. One that leads out by its name is refused before anything is looked up.
 * Hard links cannot be seen through: who may write to the folder must not own files that are none of the engine's business.
 */
export async function confinedTarget({ folder, path }: ConfinedPath): Promise<string> {
  if (path === '' || path.includes('\0')) throw new ConfinedPathRefused('invalid_input', 'give the path of a video inside the folder');
  const root = await realpath(folder).catch(() => {
    throw new ConfinedPathRefused('no_folder', 'the folder for videos is not there: create it, or set another');
  });
  const asked = resolve(root, path);
  if (!(isInside(root, asked) || isInside(resolve(folder), asked))) throw outside();
  const target = await realpath(asked).catch(refuse);
  if (!isInside(root, target)) throw outside();
  return target;
}

/** Opens the regular file at this very path: absolute, no link on the way. */
export async function openRegular(path: string): Promise<ConfinedFile> {
  // Before it is opened: opening a device may set it going.
  needFile(await stat(path).catch(refuse));
  // A FIFO that has come into its place since must not hold up the opening.
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(refuse);
  try {
    const opened = await handle.stat();
    needFile(opened);
    if ((await openedPath(handle, path)) !== path) throw changed();
    return { handle, bytes: opened.size, [Symbol.asyncDispose]: () => handle.close() };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

function needFile(file: Stats): void {
  if (!file.isFile())
    throw new ConfinedPathRefused('not_a_file', 'this is not a file: give the path of a video, or of a folder of the predecessor');
}

/**
 * Where the opened file really is, after any swap of the directories on the way: Linux tells by the descriptor (proc(5));
 * elsewhere the path must still lead to the same file.
 */
async function openedPath(handle: FileHandle, target: string): Promise<string | null> {
  if (process.platform === 'linux') return readlink(`/proc/self/fd/${handle.fd}`);
  const [opened, found, real] = await Promise.all([handle.stat(), stat(target), realpath(target)]);
  return opened.ino === found.ino && opened.dev === found.dev ? real : null;
}

function refuse(error: unknown): never {
  switch (systemCode(error)) {
    case 'ENOENT':
    case 'ENOTDIR':
    case 'ENAMETOOLONG':
      throw new ConfinedPathRefused('not_found', 'there is no such file in the folder for videos');
    case 'ELOOP':
      throw changed();
    default:
      throw new ConfinedPathRefused('unreadable', 'the engine cannot read this file: give it the right to, or put a copy there');
  }
}

function outside(): ConfinedPathRefused {
  return new ConfinedPathRefused('outside', 'this path leads out of the folder for videos: put the video inside');
}

function changed(): ConfinedPathRefused {
  return new ConfinedPathRefused('changed', 'this path is a loop of links or is being changed: try again when it is settled');
}
