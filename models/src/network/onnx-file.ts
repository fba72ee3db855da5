/**
 * Writes ONNX files: just the protobuf fields that our graphs need, so that building a network needs neither Python nor
 * a protobuf package. Field numbers are those of onnx.proto.
 */

/** A symbolic dimension carries its name, as `batch`. */
export type Dimension = number | string;

export type ElementType = 'float32' | 'int64';

export interface ValueInfo {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly Dimension[];
}

export interface Initializer {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array | BigInt64Array;
}

export type Attribute = number | readonly number[] | { readonly float: number } | { readonly text: string };

export interface OnnxNode {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

export interface OnnxGraph {
  readonly name: string;
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly Initializer[];
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
}

/** Operator set and file version: what every onnxruntime since 1.12 reads. */
const opset = 17;
const irVersion = 8;

const elementCode: Readonly<Record<ElementType, number>> = { float32: 1, int64: 7 };
const attributeCode = { float: 1, int: 2, string: 3, ints: 7 } as const;

/** The bytes of a model file that holds this graph. */
export function writeOnnx(graph: OnnxGraph): Buffer {
  const body = Buffer.concat([
    ...graph.nodes.map((node) => field(1, encodeNode(node))),
    field(2, graph.name),
    ...graph.initializers.map((initializer) => field(5, encodeInitializer(initializer))),
    ...graph.inputs.map((input) => field(11, encodeValueInfo(input))),
    ...graph.outputs.map((output) => field(12, encodeValueInfo(output))),
  ]);
  return Buffer.concat([
    integer(1, irVersion),
    field(2, 'picket'),
    field(7, body),
    field(8, Buffer.concat([field(1, ''), integer(2, opset)])),
  ]);
}

function encodeNode(node: OnnxNode): Buffer {
  return Buffer.concat([
    ...node.inputs.map((name) => field(1, name)),
    ...node.outputs.map((name) => field(2, name)),
    field(4, node.op),
    ...Object.entries(node.attributes).map(([name, value]) => field(5, encodeAttribute(name, value))),
  ]);
}

function encodeAttribute(name: string, value: Attribute): Buffer {
  if (typeof value === 'number') {
    return Buffer.concat([field(1, name), integer(3, value), integer(20, attributeCode.int)]);
  }
  if ('float' in value) return Buffer.concat([field(1, name), float(2, value.float), integer(20, attributeCode.float)]);
  if ('text' in value) return Buffer.concat([field(1, name), field(4, value.text), integer(20, attributeCode.string)]);
  return Buffer.concat([field(1, name), ...value.map((item) => integer(8, item)), integer(20, attributeCode.ints)]);
}

function encodeInitializer({ name, shape, values }: Initializer): Buffer {
  const type = values instanceof Float32Array ? 'float32' : 'int64';
  return Buffer.concat([
    ...shape.map((size) => integer(1, size)),
    integer(2, elementCode[type]),
    field(8, name),
    field(9, Buffer.from(values.buffer, values.byteOffset, values.byteLength)),
  ]);
}

function encodeValueInfo({ name, type, shape }: ValueInfo): Buffer {
  const dimensions = shape.map((size) => field(1, typeof size === 'string' ? field(2, size) : integer(1, size)));
  const tensor = Buffer.concat([integer(1, elementCode[type]), field(2, Buffer.concat(dimensions))]);
  return Buffer.concat([field(1, name), field(2, field(1, tensor))]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  do {
    const low = Number(rest & 127n);
    rest >>= 7n;
    bytes.push(rest > 0n ? low | 128 : low);
  } while (rest > 0n);
  return Buffer.from(bytes);
}

function integer(number: number, value: number): Buffer {
  return Buffer.concat([varint(number << 3), varint(value)]);
}

function float(number: number, value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return Buffer.concat([varint((number << 3) | 5), bytes]);
}

function field(number: number, value: Buffer | string): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value;
  return Buffer.concat([varint((number << 3) | 2), varint(bytes.length), bytes]);
}
