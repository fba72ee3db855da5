/**
 * Builds a graph operation by operation and keeps every tensor's shape, which the gradients need. Shapes may hold one
 * symbolic dimension, the batch.
 */
import { Matrix } from './matrix.ts';
import { writeOnnx } from './onnx-file.ts';
import type { Attribute, Dimension, ElementType, Initializer, OnnxNode, ValueInfo } from './onnx-file.ts';

export interface Tensor {
  readonly name: string;
  readonly shape: readonly Dimension[];
}

/** A node with its tensors: what the gradients walk backwards over. */
export interface Operation {
  readonly op: string;
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

export class GraphBuilder {
  readonly operations: Operation[] = [];
  readonly #name: string;
  readonly #initializers: Initializer[] = [];
  readonly #inputs: ValueInfo[] = [];
  readonly #outputs: ValueInfo[] = [];
  /** Names under which tensors are published. */
  readonly #published = new Map<string, string>();
  readonly #integerLists = new Map<string, Tensor>();
  #tensors = 0;

  constructor(name: string) {
    this.#name = name;
  }

  input(name: string, shape: readonly Dimension[], type: ElementType = 'float32'): Tensor {
    this.#inputs.push({ name, type, shape });
    return { name, shape };
  }

  /** Publish a tensor, the result of an operator, under `name`. */
  output(name: string, tensor: Tensor): void {
    if (this.#published.has(tensor.name)) throw new Error(`${tensor.name} is an output already, so not ${name} too`);
    this.#published.set(tensor.name, name);
    this.#outputs.push({ name, type: 'float32', shape: tensor.shape });
  }

  constant(values: ArrayLike<number>, shape: readonly number[], name = this.#nextName()): Tensor {
    this.#initializers.push({ name, shape, values: Float32Array.from(values) });
    return { name, shape };
  }

  matrix({ values, rows, columns }: Matrix): Tensor {
    return this.constant(values, [rows, columns]);
  }

  /** What `constant` was given; undefined for any other tensor. */
  storedValues({ name }: Tensor): Float32Array | undefined {
    const values = this.#initializers.find((initializer) => initializer.name === name)?.values;
    return values instanceof Float32Array ? values : undefined;
  }

  scalar(value: number): Tensor {
    return this.constant([value], []);
  }

  /** Axes, sizes and bounds, which the operator set takes as int64 tensors; equal lists are stored once. */
  integers(values: readonly number[]): Tensor {
    const key = values.join();
    let tensor = this.#integerLists.get(key);
    if (tensor === undefined) {
      tensor = { name: this.#nextName(), shape: [values.length] };
      this.#integerLists.set(key, tensor);
      this.#initializers.push({
        name: tensor.name,
        shape: [values.length],
        values: BigInt64Array.from(values, (value) => BigInt(value)),
      });
    }
    return tensor;
  }

  /** Any operator; the caller states the result's shapes. */
  apply(
    op: string,
    inputs: readonly Tensor[],
    shapes: readonly (readonly Dimension[])[],
    attributes: Readonly<Record<string, Attribute>> = {},
  ): Tensor[] {
    const outputs = shapes.map((shape) => ({ name: this.#nextName(), shape }));
    this.operations.push({ op, inputs, outputs, attributes });
    // The caller's own, to do with as it likes.
    return [...outputs];
  }

  /** An operator with one result. */
  one(
    op: string,
    inputs: readonly Tensor[],
    shape: readonly Dimension[],
    attributes: Readonly<Record<string, Attribute>> = {},
  ): Tensor {
    return this.apply(op, inputs, [shape], attributes)[0]!;
  }

  add(left: Tensor, right: Tensor): Tensor {
    return this.one('Add', [left, right], broadcast(left.shape, right.shape));
  }

  sub(left: Tensor, right: Tensor): Tensor {
    return this.one('Sub', [left, right], broadcast(left.shape, right.shape));
  }

  mul(left: Tensor, right: Tensor): Tensor {
    return this.one('Mul', [left, right], broadcast(left.shape, right.shape));
  }

  div(left: Tensor, right: Tensor): Tensor {
    return this.one('Div', [left, right], broadcast(left.shape, right.shape));
  }

  /** Truths: Equal, GreaterOrEqual, LessOrEqual, … */
  compare(op: string, left: Tensor, right: Tensor): Tensor {
    return this.one(op, [left, right], broadcast(left.shape, right.shape));
  }

  /** Truths as 0 and 1. */
  numbers(truths: Tensor): Tensor {
    return this.one('Cast', [truths], truths.shape, { to: 1 });
  }

  /** `left` may have more dimensions than two where `right` has two, and the other way round, or both the same. */
  matMul(left: Tensor, right: Tensor): Tensor {
    const outer = (left.shape.length >= right.shape.length ? left : right).shape.slice(0, -2);
    return this.one('MatMul', [left, right], [...outer, left.shape.at(-2)!, right.shape.at(-1)!]);
  }

  /** Element by element: Relu, Sigmoid, Tanh, Exp, Log, Sqrt, Neg, Sign, … */
  unary(op: string, tensor: Tensor): Tensor {
    return this.one(op, [tensor], tensor.shape);
  }

  concat(tensors: readonly Tensor[], axis: number): Tensor {
    const shape = [...tensors[0]!.shape];
    shape[axis] = tensors.reduce((sum, tensor) => sum + (tensor.shape[axis] as number), 0);
    return this.one('Concat', tensors, shape, { axis });
  }

  split(tensor: Tensor, sizes: readonly number[], axis: number): Tensor[] {
    const shapes = sizes.map((size) => tensor.shape.with(axis, size));
    return this.apply('Split', [tensor, this.integers(sizes)], shapes, { axis });
  }

  /** At most one dimension may be symbolic. */
  reshape(tensor: Tensor, shape: readonly Dimension[]): Tensor {
    const sizes = shape.map((size) => (typeof size === 'number' ? size : -1));
    return this.one('Reshape', [tensor, this.integers(sizes)], shape);
  }

  /** Of a stored matrix: another stored one. */
  transpose(tensor: Tensor, perm: readonly number[]): Tensor {
    const shape = perm.map((axis) => tensor.shape[axis]!);
    const stored = tensor.shape.length === 2 && perm[0] === 1 ? this.storedValues(tensor) : undefined;
    if (stored !== undefined) {
      const [rows, columns] = tensor.shape as [number, number];
      return this.matrix(new Matrix(rows, columns, stored).transposed());
    }
    return this.one('Transpose', [tensor], shape, { perm });
  }

  reduceSum(tensor: Tensor, axes: readonly number[], keep: boolean): Tensor {
    const shape = reduced(tensor.shape, axes, keep);
    return this.one('ReduceSum', [tensor, this.integers(axes)], shape, { keepdims: keep ? 1 : 0 });
  }

  reduceMax(tensor: Tensor, axis: number, keep = true): Tensor {
    const shape = reduced(tensor.shape, [axis], keep);
    return this.one('ReduceMax', [tensor], shape, { axes: [axis], keepdims: keep ? 1 : 0 });
  }

  /** The model file. */
  build(): Buffer {
    const nodes: OnnxNode[] = this.operations.map(({ op, inputs, outputs, attributes }) => ({
      op,
      inputs: inputs.map(({ name }) => this.#published.get(name) ?? name),
      outputs: outputs.map(({ name }) => this.#published.get(name) ?? name),
      attributes,
    }));
    return writeOnnx({
      name: this.#name,
      nodes,
      initializers: this.#initializers,
      inputs: this.#inputs,
      outputs: this.#outputs,
    });
  }

  #nextName(): string {
    this.#tensors += 1;
    return `t${this.#tensors}`;
  }
}

function reduced(shape: readonly Dimension[], axes: readonly number[], keep: boolean): Dimension[] {
  return keep
    ? shape.map((size, axis) => (axes.includes(axis) ? 1 : size))
    : shape.filter((_, axis) => !axes.includes(axis));
}

function broadcast(left: readonly Dimension[], right: readonly Dimension[]): Dimension[] {
  const rank = Math.max(left.length, right.length);
  return Array.from({ length: rank }, (_, axis) => {
    const a = left[axis - rank + left.length] ?? 1;
    const b = right[axis - rank + right.length] ?? 1;
    if (a !== b && a !== 1 && b !== 1) throw new RangeError(`shapes [${left.join()}] and [${right.join()}] do not fit`);
    return a === 1 ? b : a;
  });
}
