/** Small ONNX files for tests, hostile ones above all: as much of the format as these need. */

export interface TestGraph {
  readonly nodes: readonly {
    readonly op: string;
    readonly inputs: readonly string[];
    readonly outputs: readonly string[];
  }[];
  /** Stored tensors: float32 zeros, or the given int64 numbers. */
  readonly stored: readonly {
    readonly name: string;
    readonly shape: readonly number[];
    readonly integers?: readonly number[];
  }[];
  /** Float32; texts are free dimensions. */
  readonly inputs: Readonly<Record<string, readonly (number | string)[]>>;
  readonly outputs: Readonly<Record<string, readonly (number | string)[]>>;
}

const float32 = 1;
const int64 = 7;

export function writeOnnx({ nodes, stored, inputs, outputs }: TestGraph): Buffer {
  const graph = Buffer.concat([
    ...nodes.map(({ op, inputs: from, outputs: to }) =>
      bytesField(1, [...from.map((name) => text(1, name)), ...to.map((name) => text(2, name)), text(4, op)]),
    ),
    text(2, 'test'),
    ...stored.map(({ name, shape, integers }) => {
      const count = shape.reduce((product, size) => product * size, 1);
      const raw =
        integers === undefined ? Buffer.alloc(count * 4) : Buffer.from(BigInt64Array.from(integers.map(BigInt)).buffer);
      const type = integers === undefined ? float32 : int64;
      return bytesField(5, [
        ...shape.map((size) => integer(1, size)),
        integer(2, type),
        text(8, name),
        bytesField(9, [raw]),
      ]);
    }),
    ...Object.entries(inputs).map(([name, shape]) => valueInfo(11, name, shape)),
    ...Object.entries(outputs).map(([name, shape]) => valueInfo(12, name, shape)),
  ]);
  return Buffer.concat([integer(1, 8), bytesField(7, [graph]), bytesField(8, [text(1, ''), integer(2, 17)])]);
}

/** A length-delimited field. */
export function bytesField(number: number, parts: readonly Uint8Array[]): Buffer {
  const value = Buffer.concat(parts);
  return Buffer.concat([varint(number * 8 + 2), varint(value.length), value]);
}

function text(number: number, value: string): Buffer {
  return bytesField(number, [Buffer.from(value)]);
}

function integer(number: number, value: number): Buffer {
  return Buffer.concat([varint(number * 8), varint(value)]);
}

function valueInfo(number: number, name: string, shape: readonly (number | string)[]): Buffer {
  const dimensions = shape.map((size) => bytesField(1, [typeof size === 'number' ? integer(1, size) : text(2, size)]));
  const tensor = bytesField(1, [integer(1, float32), bytesField(2, dimensions)]);
  return bytesField(number, [text(1, name), bytesField(2, [tensor])]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) | 128);
  return Buffer.from([...bytes, value]);
}
