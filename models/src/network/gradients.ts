/**
 * Reverse-mode differentiation over a graph, written as ordinary operators into the same graph, and Adam on top. The
 * result trains on any onnxruntime, on a gateway too, with nothing but forward operators.
 */
import type { GraphBuilder, Operation, Tensor } from './graph-builder.ts';
import { lstmInputGradient } from './lstm-gradient.ts';
import type { Dimension } from './onnx-file.ts';

/** Gradients of `of` with respect to each of `over`; `seed` is the gradient of `of` itself, of its shape. */
export function appendGradients(graph: GraphBuilder, of: Tensor, seed: Tensor, over: readonly Tensor[]): Tensor[] {
  const operations = [...graph.operations];
  const wanted = new Set(over.map(({ name }) => name));
  for (const operation of operations) {
    if (operation.inputs.some(({ name }) => wanted.has(name)))
      for (const { name } of operation.outputs) wanted.add(name);
  }
  const gradients = new Map<string, Tensor>([[of.name, seed]]);
  for (const operation of operations.toReversed()) {
    const known = operation.outputs.map(({ name }) => gradients.get(name));
    if (known.every((gradient) => gradient === undefined)) continue;
    if (!operation.inputs.some(({ name }) => wanted.has(name))) continue;
    const rule = rules[operation.op];
    if (rule === undefined) throw new Error(`no gradient rule for operator ${operation.op}: add one to gradients.ts`);
    const inputGradients = rule(graph, operation, known, (index) => wanted.has(operation.inputs[index]!.name));
    for (const [index, gradient] of inputGradients.entries()) {
      const input = operation.inputs[index]!;
      if (gradient === undefined || !wanted.has(input.name)) continue;
      const sum = gradients.get(input.name);
      gradients.set(input.name, sum === undefined ? gradient : graph.add(sum, gradient));
    }
  }
  return over.map((tensor) => {
    const gradient = gradients.get(tensor.name);
    if (gradient === undefined) throw new Error(`${of.name} does not depend on ${tensor.name}`);
    return gradient;
  });
}

/**
 * Gradients of an operation's inputs from those of its outputs (undefined where nothing depends on an output). `needs`
 * says which inputs are wanted, so that no operator is spent on others.
 */
type Rule = (
  graph: GraphBuilder,
  operation: Operation,
  gradients: readonly (Tensor | undefined)[],
  needs: (index: number) => boolean,
) => (Tensor | undefined)[];

const rules: Readonly<Record<string, Rule>> = {
  Add: (graph, { inputs: [left, right] }, [gradient], needs) => [
    needs(0) ? sumTo(graph, gradient!, left!.shape) : undefined,
    needs(1) ? sumTo(graph, gradient!, right!.shape) : undefined,
  ],
  Sub: (graph, { inputs: [left, right] }, [gradient], needs) => [
    needs(0) ? sumTo(graph, gradient!, left!.shape) : undefined,
    needs(1) ? sumTo(graph, graph.unary('Neg', gradient!), right!.shape) : undefined,
  ],
  Mul: (graph, { inputs: [left, right] }, [gradient], needs) => [
    needs(0) ? sumTo(graph, graph.mul(gradient!, right!), left!.shape) : undefined,
    needs(1) ? sumTo(graph, graph.mul(gradient!, left!), right!.shape) : undefined,
  ],
  Div: (graph, { inputs: [left, right] }, [gradient], needs) => {
    if (needs(1)) throw new Error('no gradient rule for a divisor: multiply by a reciprocal instead');
    return [sumTo(graph, graph.div(gradient!, right!), left!.shape)];
  },
  MatMul: (graph, { inputs: [left, right] }, [gradient], needs) => [
    needs(0) ? graph.matMul(gradient!, lastTwoSwapped(graph, right!)) : undefined,
    needs(1) ? gradientOfRight(graph, left!, right!, gradient!) : undefined,
  ],
  LSTM: (graph, operation, [ofAll, ofLast], needs) => {
    if (ofAll !== undefined || operation.inputs.length > 3 || needs(1) || needs(2))
      throw new Error('an LSTM is differentiated without biases, by its input only, from its last state');
    return [lstmInputGradient(graph, operation, ofLast!)];
  },
  // The gradient stops where the result is 0, which is also where it is not positive.
  Relu: (graph, { outputs: [result] }, [gradient]) => [graph.mul(gradient!, graph.unary('Sign', result!))],
  Sigmoid: (graph, { outputs: [result] }, [gradient]) => {
    const slope = graph.mul(result!, graph.sub(graph.scalar(1), result!));
    return [graph.mul(gradient!, slope)];
  },
  Tanh: (graph, { outputs: [result] }, [gradient]) => {
    const slope = graph.sub(graph.scalar(1), graph.mul(result!, result!));
    return [graph.mul(gradient!, slope)];
  },
  LogSoftmax: (graph, { outputs: [result] }, [gradient]) => {
    const total = graph.reduceSum(gradient!, [gradient!.shape.length - 1], true);
    return [graph.sub(gradient!, graph.mul(graph.unary('Exp', result!), total))];
  },
  Softmax: (graph, { outputs: [result], attributes }, [gradient]) => {
    const weighted = graph.mul(gradient!, result!);
    const total = graph.reduceSum(weighted, [attributes['axis'] as number], true);
    return [graph.mul(result!, graph.sub(gradient!, total))];
  },
  ReduceLogSumExp: (graph, { inputs: [input], outputs: [result] }, [gradient]) => [
    graph.mul(gradient!, graph.unary('Exp', graph.sub(input!, result!))),
  ],
  ReduceSum: (graph, { inputs: [input], attributes }, [gradient]) => {
    if (attributes['keepdims'] !== 1) throw new Error('only sums that keep their dimensions are differentiated');
    return [graph.add(graph.mul(input!, graph.scalar(0)), gradient!)];
  },
  // Where several elements share the maximum, each gets the whole gradient; after a Relu those ties are zeros.
  ReduceMax: (graph, { inputs: [input], outputs: [result], attributes }, [gradient]) => {
    const [axis] = attributes['axes'] as readonly [number];
    const kept = input!.shape.with(axis, 1);
    const wide = (tensor: Tensor): Tensor => (attributes['keepdims'] === 1 ? tensor : graph.reshape(tensor, kept));
    const winner = graph.numbers(graph.compare('Equal', input!, wide(result!)));
    return [graph.mul(winner, wide(gradient!))];
  },
  Transpose: (graph, { attributes }, [gradient]) => {
    const perm = attributes['perm'] as readonly number[];
    return [
      graph.transpose(
        gradient!,
        [...perm.keys()].map((axis) => perm.indexOf(axis)),
      ),
    ];
  },
  Concat: (graph, { inputs, attributes }, [gradient]) => {
    const axis = attributes['axis'] as number;
    return graph.split(
      gradient!,
      inputs.map(({ shape }) => shape[axis] as number),
      axis,
    );
  },
  Split: (graph, { outputs, attributes }, gradients) => [
    graph.concat(
      outputs.map((output, index) => gradients[index] ?? graph.mul(output, graph.scalar(0))),
      attributes['axis'] as number,
    ),
  ],
  Reshape: (graph, { inputs: [input] }, [gradient]) => [graph.reshape(gradient!, input!.shape)],
};

/** Undo a broadcast: sum the gradient down to the shape that the operand had. */
function sumTo(graph: GraphBuilder, gradient: Tensor, shape: readonly Dimension[]): Tensor {
  const extra = gradient.shape.length - shape.length;
  const leading = Array.from({ length: extra }, (_, axis) => axis);
  const result = extra > 0 ? graph.reduceSum(gradient, leading, false) : gradient;
  const stretched = shape.flatMap((size, axis) => (size === 1 && result.shape[axis] !== 1 ? [axis] : []));
  return stretched.length > 0 ? graph.reduceSum(result, stretched, true) : result;
}

function gradientOfRight(graph: GraphBuilder, left: Tensor, right: Tensor, gradient: Tensor): Tensor {
  // One matrix for the rows of all: they count as one long matrix.
  if (right.shape.length === 2)
    return graph.matMul(graph.transpose(flatRows(graph, left), [1, 0]), flatRows(graph, gradient));
  return graph.matMul(lastTwoSwapped(graph, left), gradient);
}

function lastTwoSwapped(graph: GraphBuilder, tensor: Tensor): Tensor {
  return graph.transpose(tensor, tensor.shape.length === 2 ? [1, 0] : [0, 2, 1]);
}

/** All dimensions but the last folded into one. */
function flatRows(graph: GraphBuilder, tensor: Tensor): Tensor {
  return tensor.shape.length === 2 ? tensor : graph.reshape(tensor, ['rows', tensor.shape.at(-1)!]);
}

export interface AdamStep {
  readonly parameters: Tensor;
  readonly momentum: Tensor;
  readonly velocity: Tensor;
  /** Euclidean norm before clipping. */
  readonly norm: Tensor;
}

/** One step of Adam with its gradient clipped to `clipNorm`. The learning rate comes with bias correction applied. */
export function appendAdam(
  graph: GraphBuilder,
  state: Omit<AdamStep, 'norm'>,
  gradient: Tensor,
  learningRate: Tensor,
  clipNorm: Tensor,
): AdamStep {
  const norm = graph.unary('Sqrt', graph.reduceSum(graph.mul(gradient, gradient), [0], true));
  const room = graph.div(clipNorm, graph.add(norm, graph.scalar(1e-12)));
  const clipped = graph.mul(gradient, graph.one('Min', [room, graph.scalar(1)], [1]));
  const blend = (old: Tensor, fresh: Tensor, keep: number): Tensor =>
    graph.add(graph.mul(old, graph.scalar(keep)), graph.mul(fresh, graph.scalar(1 - keep)));
  const momentum = blend(state.momentum, clipped, adamBetas[0]);
  const velocity = blend(state.velocity, graph.mul(clipped, clipped), adamBetas[1]);
  const divisor = graph.add(graph.unary('Sqrt', velocity), graph.scalar(1e-8));
  const step = graph.div(graph.mul(momentum, learningRate), divisor);
  return { parameters: graph.sub(state.parameters, step), momentum, velocity, norm };
}

const adamBetas = [0.9, 0.999] as const;

/** The learning rate to hand to step `step` (from 1), so that Adam's young averages are not biased towards 0. */
export function correctedLearningRate(rate: number, step: number): number {
  return (rate * Math.sqrt(1 - adamBetas[1] ** step)) / (1 - adamBetas[0] ** step);
}
