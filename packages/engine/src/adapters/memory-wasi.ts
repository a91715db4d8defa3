/*
 * The part of WASI preview 1 that a command-line synthesiser needs, over memory: nothing of what a
 * student hears is written to a disk, and there is no temporary folder to clean up. The layouts are
 * those of https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md
 */

const success = 0;
const badDescriptor = 8;
const noSuchFile = 44;
const notSeekable = 70;

const firstFile = 4;
/** The one open folder, as every WASI program expects it. */
const folder = 3;
const create = 1;

export interface WasiRun {
  readonly stdout: string;
  /** By name, as the program left them. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

export interface WasiRequest {
  /** Without the program's own name. */
  readonly args: readonly string[];
  /** What the program finds in its folder. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

interface OpenFile {
  readonly file: GrowingFile;
  position: number;
}

/** `done`: where to write how many bytes were moved. */
type Transfer = readonly [descriptor: number, vectors: number, count: number, done: number];
type Seek = readonly [descriptor: number, offset: bigint, whence: number, at: number];

/** Thrown through the program when it ends itself. */
class ProgramEnded {}

/** Runs a WASI command to its end. Throws what the program throws when it crashes. */
export function runWasi(module: WebAssembly.Module, request: WasiRequest): WasiRun {
  const host = new MemoryWasi(request);
  const instance = new WebAssembly.Instance(module, { wasi_snapshot_preview1: host.imports() });
  const { memory, _start: start } = instance.exports;
  if (!(memory instanceof WebAssembly.Memory) || typeof start !== 'function') throw new TypeError('not a WASI command');
  host.memory = memory;
  try {
    start();
  } catch (error) {
    if (!(error instanceof ProgramEnded)) throw error;
  }
  return host.result();
}

class MemoryWasi {
  memory: WebAssembly.Memory | null = null;
  readonly #args: readonly Uint8Array[];
  readonly #files = new Map<string, GrowingFile>();
  readonly #open = new Map<number, OpenFile>();
  readonly #stdout = new GrowingFile();
  #nextDescriptor = firstFile;

  constructor({ args, files }: WasiRequest) {
    this.#args = ['program', ...args].map((arg) => new TextEncoder().encode(`${arg}\0`));
    for (const [name, bytes] of files) this.#files.set(name, new GrowingFile(bytes));
    this.#open.set(1, { file: this.#stdout, position: 0 });
    this.#open.set(2, { file: new GrowingFile(), position: 0 });
  }

  result(): WasiRun {
    const files = new Map([...this.#files].map(([name, file]) => [name, file.bytes()]));
    return { stdout: new TextDecoder().decode(this.#stdout.bytes()), files };
  }

  imports(): WebAssembly.ModuleImports {
    return {
      args_sizes_get: (count: number, size: number) => this.#words([count, this.#args.length], [size, this.#argBytes()]),
      args_get: (pointers: number, buffer: number) => this.#writeArgs(pointers, buffer),
      clock_time_get: (_clock: number, _precision: bigint, at: number) => {
        this.#view().setBigUint64(at, BigInt(Date.now()) * 1_000_000n, true);
        return success;
      },
      fd_close: (descriptor: number) => (this.#open.delete(descriptor) ? success : badDescriptor),
      fd_fdstat_get: (descriptor: number, at: number) => this.#describe(descriptor, at),
      fd_fdstat_set_flags: () => success,
      fd_prestat_get: (descriptor: number, at: number) => (descriptor === folder ? this.#words([at, 0], [at + 4, 1]) : badDescriptor),
      fd_prestat_dir_name: (_descriptor: number, at: number) => {
        this.#bytes().set([0x2f], at);
        return success;
      },
      fd_read: (...call: Transfer) => this.#transfer(call, (open, into) => open.file.read(open.position, into)),
      fd_write: (...call: Transfer) => this.#transfer(call, (open, from) => open.file.write(open.position, from)),
      fd_seek: (...call: Seek) => this.#seek(call),
      path_open: (...values: readonly (number | bigint)[]) => this.#openPath(values.map(Number)),
      proc_exit: () => {
        throw new ProgramEnded();
      },
    };
  }

  #openPath(values: readonly number[]): number {
    const [, , path = 0, length = 0, flags = 0, , , , at = 0] = values;
    const name = new TextDecoder().decode(this.#bytes().slice(path, path + length));
    const file = this.#files.get(name) ?? ((flags & create) === 0 ? undefined : new GrowingFile());
    if (file === undefined) return noSuchFile;
    this.#files.set(name, file);
    const descriptor = this.#nextDescriptor;
    this.#nextDescriptor += 1;
    this.#open.set(descriptor, { file, position: 0 });
    return this.#words([at, descriptor]);
  }

  #transfer([descriptor, vectors, count, done]: Transfer, move: (open: OpenFile, bytes: Uint8Array) => number): number {
    // Standard input is empty.
    if (descriptor === 0) return this.#words([done, 0]);
    const open = this.#open.get(descriptor);
    if (open === undefined) return badDescriptor;
    const view = this.#view();
    const bytes = this.#bytes();
    let total = 0;
    for (let vector = 0; vector < count; vector += 1) {
      const start = view.getUint32(vectors + 8 * vector, true);
      const length = view.getUint32(vectors + 8 * vector + 4, true);
      const moved = move(open, bytes.subarray(start, start + length));
      open.position += moved;
      total += moved;
      if (moved < length) break;
    }
    return this.#words([done, total]);
  }

  #seek([descriptor, offset, whence, at]: Seek): number {
    const open = this.#open.get(descriptor);
    if (open === undefined) return badDescriptor;
    if (descriptor < firstFile) return notSeekable;
    const origin = [0, open.position, open.file.size][whence] ?? 0;
    open.position = Math.max(0, origin + Number(offset));
    this.#view().setBigUint64(at, BigInt(open.position), true);
    return success;
  }

  #describe(descriptor: number, at: number): number {
    if (descriptor > folder && !this.#open.has(descriptor)) return badDescriptor;
    const [characterDevice, directory, regularFile] = [2, 3, 4];
    const kind = descriptor < folder ? characterDevice : descriptor === folder ? directory : regularFile;
    const view = this.#view();
    view.setUint16(at, kind, true);
    view.setUint16(at + 2, 0, true);
    const allRights = 0xffff_ffff_ffff_ffffn;
    view.setBigUint64(at + 8, allRights, true);
    view.setBigUint64(at + 16, allRights, true);
    return success;
  }

  #writeArgs(pointers: number, buffer: number): number {
    let at = buffer;
    for (const [index, arg] of this.#args.entries()) {
      this.#words([pointers + 4 * index, at]);
      this.#bytes().set(arg, at);
      at += arg.length;
    }
    return success;
  }

  #argBytes(): number {
    return this.#args.reduce((sum, arg) => sum + arg.length, 0);
  }

  #words(...entries: readonly (readonly [at: number, value: number])[]): number {
    for (const [at, value] of entries) this.#view().setUint32(at, value, true);
    return success;
  }

  #bytes(): Uint8Array {
    return new Uint8Array(this.#buffer());
  }

  #view(): DataView {
    return new DataView(this.#buffer());
  }

  #buffer(): ArrayBuffer {
    if (this.memory === null) throw new TypeError('the program called before it had memory');
    return this.memory.buffer;
  }
}

class GrowingFile {
  #bytes: Uint8Array;
  size: number;

  constructor(bytes: Uint8Array = new Uint8Array(0)) {
    this.#bytes = bytes;
    this.size = bytes.length;
  }

  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.size);
  }

  read(position: number, into: Uint8Array): number {
    const part = this.bytes().subarray(position, position + into.length);
    into.set(part);
    return part.length;
  }

  write(position: number, bytes: Uint8Array): number {
    const end = position + bytes.length;
    if (end > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(end, 2 * this.#bytes.length, 4_096));
      larger.set(this.bytes());
      this.#bytes = larger;
    }
    this.#bytes.set(bytes, position);
    this.size = Math.max(this.size, end);
    return bytes.length;
  }
}
