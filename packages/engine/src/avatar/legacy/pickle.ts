/*
 * Python's pickles, as far as they are data: https://docs.python.org/3/library/pickletools.html. A pickle is a program that may call any
 * function of Python's by name; here it may call those that the reader is given, and nothing is executed.
 */

export type Pickled = null | boolean | number | string | Uint8Array | readonly Pickled[] | Named | object;

/** A function or a class, by name. */
export class Named {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** Something that no list of numbers and tensors needs. */
export class PickleRefused extends Error {
  override readonly name = 'PickleRefused';
  constructor(what: string) {
    super(`The pickle holds more than numbers and tensors (${what}); it is not read.`);
  }
}

export interface PickleReader {
  /** What may be called, by the names that pickles use. */
  readonly functions: ReadonlyMap<string, (args: readonly Pickled[]) => Pickled>;
  /** What an identifier outside of the pickle stands for. */
  persistent?(id: Pickled): Pickled;
}

/** A box or a tensor takes some 25: more are made to cost memory, not to say more. */
const mostOperations = 1_000_000;

/** Throws `PickleRefused`, and `RangeError` at an end that comes too early. */
export function readPickle(bytes: Uint8Array, reader: PickleReader): Pickled {
  return new Machine(bytes, reader).run();
}

const mark = Symbol('mark');
type Mark = typeof mark;

class Machine {
  readonly #view: DataView;
  readonly #reader: PickleReader;
  readonly #stack: (Pickled | Mark)[] = [];
  readonly #memo = new Map<number, Pickled>();
  #at = 0;

  constructor(bytes: Uint8Array, reader: PickleReader) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#reader = reader;
  }

  run(): Pickled {
    for (let done = 0; done < mostOperations; done += 1) {
      const code = this.#view.getUint8(this.#at++);
      if (code === 0x2e) return this.#pop();
      const operation = operations.get(code);
      if (operation === undefined) throw new PickleRefused(`operation 0x${code.toString(16)}`);
      operation(this);
    }
    throw new PickleRefused('too many operations');
  }

  push(value: Pickled | Mark): void {
    this.#stack.push(value);
  }

  #pop(): Pickled {
    const value = this.#stack.pop();
    if (value === undefined || value === mark) throw new PickleRefused('an empty stack');
    return value;
  }

  pop = (): Pickled => this.#pop();

  /** All above the last mark, which goes too. */
  popMarked(): Pickled[] {
    const from = this.#stack.lastIndexOf(mark);
    if (from < 0) throw new PickleRefused('no mark');
    return this.#stack.splice(from).filter((value) => value !== mark);
  }

  popSome(count: number): Pickled[] {
    return Array.from({ length: count }, () => this.#pop()).reverse();
  }

  append(values: readonly Pickled[]): void {
    const list = this.#pop();
    if (!Array.isArray(list)) throw new PickleRefused('something added to what is no list');
    for (const value of values) list.push(value);
    this.push(list);
  }

  call(): void {
    const [target, args] = this.popSome(2);
    const allowed = target instanceof Named ? this.#reader.functions.get(target.name) : undefined;
    if (allowed === undefined || !Array.isArray(args))
      throw new PickleRefused(target instanceof Named ? target.name : 'a call of no function');
    this.push(allowed(args));
  }

  resolve(): void {
    const id = this.#pop();
    if (this.#reader.persistent === undefined) throw new PickleRefused('a reference to elsewhere');
    this.push(this.#reader.persistent(id));
  }

  name(module: Pickled, name: Pickled): void {
    if (typeof module !== 'string' || typeof name !== 'string') throw new PickleRefused('a name that is no text');
    const full = `${module}.${name}`;
    if (!this.#reader.functions.has(full)) throw new PickleRefused(full.slice(0, 100));
    this.push(new Named(full));
  }

  remember(index: number = this.#memo.size): void {
    const value = this.#pop();
    this.#memo.set(index, value);
    this.push(value);
  }

  recall(index: number): void {
    const value = this.#memo.get(index);
    if (value === undefined) throw new PickleRefused('a memory of nothing');
    this.push(value);
  }

  bytes(count: number): Uint8Array {
    const { buffer, byteOffset, byteLength } = this.#view;
    if (this.#at + count > byteLength) throw new RangeError('the pickle ends too early');
    const piece = new Uint8Array(buffer, byteOffset + this.#at, count);
    this.#at += count;
    return piece;
  }

  uint(width: 1 | 2 | 4): number {
    return this.bytes(width).reduceRight((sum, byte) => sum * 256 + byte, 0);
  }

  text(count: number): string {
    return new TextDecoder().decode(this.bytes(count));
  }

  line(): string {
    let length = 0;
    while (this.#view.getUint8(this.#at + length) !== 0x0a) length += 1;
    const line = this.text(length);
    this.#at += 1;
    return line;
  }

  /** Little endian, of two's complement. */
  int(count: number): number {
    const piece = this.bytes(count);
    const negative = (piece.at(-1) ?? 0) >= 128;
    const value = piece.reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n) - (negative ? 256n ** BigInt(count) : 0n);
    return Number(value);
  }

  float(): number {
    const value = this.#view.getFloat64(this.#at);
    this.#at += 8;
    return value;
  }
}

const operations: ReadonlyMap<number, (machine: Machine) => void> = new Map<number, (machine: Machine) => void>([
  // PROTO, FRAME
  [0x80, (m) => void m.uint(1)],
  [0x95, (m) => void m.bytes(8)],
  // MARK, EMPTY_LIST, EMPTY_TUPLE, EMPTY_DICT
  [0x28, (m) => m.push(mark)],
  [0x5d, (m) => m.push([])],
  [0x29, (m) => m.push([])],
  [0x7d, (m) => m.push({})],
  // APPEND, APPENDS, LIST, TUPLE, TUPLE1 to TUPLE3
  [0x61, (m) => m.append(m.popSome(1))],
  [0x65, (m) => m.append(m.popMarked())],
  [0x6c, (m) => m.push(m.popMarked())],
  [0x74, (m) => m.push(m.popMarked())],
  [0x85, (m) => m.push(m.popSome(1))],
  [0x86, (m) => m.push(m.popSome(2))],
  [0x87, (m) => m.push(m.popSome(3))],
  // NONE, NEWTRUE, NEWFALSE
  [0x4e, (m) => m.push(null)],
  [0x88, (m) => m.push(true)],
  [0x89, (m) => m.push(false)],
  // BININT, BININT1, BININT2, LONG1, BINFLOAT
  [0x4a, (m) => m.push(m.int(4))],
  [0x4b, (m) => m.push(m.uint(1))],
  [0x4d, (m) => m.push(m.uint(2))],
  [0x8a, (m) => m.push(m.int(m.uint(1)))],
  [0x47, (m) => m.push(m.float())],
  // SHORT_BINUNICODE, BINUNICODE, SHORT_BINBYTES, BINBYTES
  [0x8c, (m) => m.push(m.text(m.uint(1)))],
  [0x58, (m) => m.push(m.text(m.uint(4)))],
  [0x43, (m) => m.push(m.bytes(m.uint(1)))],
  [0x42, (m) => m.push(m.bytes(m.uint(4)))],
  // MEMOIZE, BINPUT, LONG_BINPUT, BINGET, LONG_BINGET
  [0x94, (m) => m.remember()],
  [0x71, (m) => m.remember(m.uint(1))],
  [0x72, (m) => m.remember(m.uint(4))],
  [0x68, (m) => m.recall(m.uint(1))],
  [0x6a, (m) => m.recall(m.uint(4))],
  // GLOBAL, STACK_GLOBAL, REDUCE, BINPERSID
  [0x63, (m) => m.name(m.line(), m.line())],
  [0x93, (m) => nameOf(m)],
  [0x52, (m) => m.call()],
  [0x51, (m) => m.resolve()],
  // BUILD: what numpy tells a dtype about itself is not needed.
  [0x62, (m) => void m.pop()],
]);

function nameOf(machine: Machine): void {
  const [module, name] = machine.popSome(2);
  machine.name(module ?? null, name ?? null);
}
