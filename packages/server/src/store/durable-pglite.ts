import { fsyncSync } from 'node:fs';
import { PGlite } from '@electric-sql/pglite';
import { NodeFS } from '@electric-sql/pglite/nodefs';

/**
 * PGlite on a folder, with an fsync that does something. PGlite starts Postgres with fsync off (-F), and
 * its file system ignores the call (electric-sql/pglite #1107): what was answered would survive the
 * process, but not the machine. `sync` brings an open file to the disk.
 */
export function openDurablePglite(folder: string, sync: (fd: number) => void = fsyncSync): Promise<PGlite> {
  return PGlite.create({ fs: new DurableNodeFs(folder, sync), startParams: durableStart });
}

/** Emscripten passes on `fsync` only, not `fdatasync`. Old write-ahead log is deleted: used again, it would keep what was erased. */
const durableStart = [
  ...PGlite.defaultStartParams.filter((param) => param !== '-F'),
  ...['-c', 'wal_sync_method=fsync', '-c', 'wal_recycle=off'],
];

class DurableNodeFs extends NodeFS {
  readonly #sync: (fd: number) => void;

  constructor(folder: string, sync: (fd: number) => void) {
    super(folder);
    this.#sync = sync;
  }

  override async init(...[db, options]: Parameters<NodeFS['init']>) {
    const { emscriptenOpts } = await super.init(db, options);
    const fsync = ({ nfd }: { readonly nfd?: number }) => {
      // The host's file descriptor. A failure throws and takes the database down, as in Postgres.
      if (nfd !== undefined) this.#sync(nfd);
      return 0;
    };
    const install: NonNullable<typeof emscriptenOpts.preRun>[number] = (module) => {
      Object.assign(streamOperations(module.FS.filesystems.NODEFS), { fsync });
    };
    return { emscriptenOpts: { ...emscriptenOpts, preRun: [...(emscriptenOpts.preRun ?? []), install] } };
  }
}

function streamOperations(filesystem: object): object {
  if ('stream_ops' in filesystem && typeof filesystem.stream_ops === 'object' && filesystem.stream_ops !== null)
    return filesystem.stream_ops;
  throw new Error('this version of PGlite keeps its files in another way: its commits would not be durable');
}
