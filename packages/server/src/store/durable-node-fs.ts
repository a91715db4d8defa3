import { fsyncSync } from 'node:fs';
import { PGlite } from '@electric-sql/pglite';
import { NodeFS } from '@electric-sql/pglite/nodefs';

type Setup = Parameters<NodeFS['init']>;

/**
 * PGlite's folder with an fsync that does something. PGlite starts Postgres with fsync off (-F), and
 * its file system ignores the call (electric-sql/pglite #1107): what was answered would survive the
 * process, but not the machine.
 */
export class DurableNodeFs extends NodeFS {
  override async init(...[db, options]: Setup) {
    const { emscriptenOpts } = await super.init(db, options);
    const withFsync: NonNullable<typeof emscriptenOpts.preRun>[number] = (module) => {
      Object.assign(streamOperations(module.FS.filesystems.NODEFS), { fsync });
    };
    return { emscriptenOpts: { ...emscriptenOpts, preRun: [...(emscriptenOpts.preRun ?? []), withFsync] } };
  }
}

/** Postgres's arguments for it. Emscripten passes on `fsync` only, not `fdatasync`. */
export const durableStart = [...PGlite.defaultStartParams.filter((param) => param !== '-F'), '-c', 'wal_sync_method=fsync'];

function streamOperations(filesystem: object): object {
  if ('stream_ops' in filesystem && typeof filesystem.stream_ops === 'object' && filesystem.stream_ops !== null)
    return filesystem.stream_ops;
  throw new Error('this version of PGlite keeps its files in another way: its commits would not be durable');
}

/** Emscripten's hook; `nfd` is the host's file descriptor. A failure throws and takes the database down, as in Postgres. */
function fsync({ nfd }: { readonly nfd?: number }): number {
  if (nfd !== undefined) fsyncSync(nfd);
  return 0;
}
