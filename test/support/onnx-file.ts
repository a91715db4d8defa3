/*
 * Writes ONNX models: as much of the format (onnx.proto3) as the small graphs of the tests need.
 */

export const onnxTypes = { float: 1, int64: 7, bool: 9 } as const;
type OnnxType = keyof typeof onnxTypes;

export interface Port {
  readonly name: string;
  readonly type: OnnxType;
  /** A name stands for any size. */
  readonly shape: readonly (number | string)[];
}

export interface Graph {
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  readonly constants: readonly {
    readonly name: string;
    readonly shape: readonly number[];
    readonly values: Float32Array | BigInt64Array;
  }[];
  readonly nodes: readonly {
    readonly op: string;
    readonly inputs: readonly string[];
    readonly outputs: readonly string[];
    /** Integer attributes. */
    readonly with?: Readonly<Record<string, number>>;
  }[];
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return Buffer.from([...bytes, rest]);
}

const number = (field: number, value: number) => Buffer.concat([varint(field * 8), varint(value)]);
const bytes = (field: number, value: Uint8Array) => Buffer.concat([varint(field * 8 + 2), varint(value.length), value]);
const text = (field: number, value: string) => bytes(field, Buffer.from(value));
const message = (field: number, ...parts: readonly Buffer[]) => bytes(field, Buffer.concat(parts));

function portOf(field: number, { name, type, shape }: Port): Buffer {
  const sizes = shape.map((size) => message(1, typeof size === 'number' ? number(1, size) : text(2, size)));
  return message(field, text(1, name), message(2, message(1, number(1, onnxTypes[type]), message(2, ...sizes))));
}

export function onnxFile({ inputs, outputs, constants, nodes }: Graph): Uint8Array {
  return Buffer.concat([
    number(1, 8),
    message(8, text(1, ''), number(2, 17)),
    message(
      7,
      ...nodes.map((node) =>
        message(
          1,
          ...node.inputs.map((name) => text(1, name)),
          ...node.outputs.map((name) => text(2, name)),
          text(4, node.op),
          ...Object.entries(node.with ?? {}).map(([name, value]) => message(5, text(1, name), number(3, value), number(20, 2))),
        ),
      ),
      text(2, 'test'),
      ...constants.map(({ name, shape, values }) =>
        message(
          5,
          ...shape.map((size) => number(1, size)),
          number(2, values instanceof Float32Array ? onnxTypes.float : onnxTypes.int64),
          text(8, name),
          bytes(9, new Uint8Array(values.buffer, values.byteOffset, values.byteLength)),
        ),
      ),
      ...inputs.map((port) => portOf(11, port)),
      ...outputs.map((port) => portOf(12, port)),
    ),
  ]);
}
