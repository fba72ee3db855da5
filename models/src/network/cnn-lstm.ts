/**
 * The network, described once: standardise → convolution over neighbouring flows → LSTM over the window, beside it the
 * largest and the mean activation over the flows (an attack diluted among benign flows still shows) → one head for all
 * classes. `fused` writes it with onnxruntime's own Conv and LSTM, otherwise with plain operators that have gradients.
 * Knows nothing about files or data.
 */
import { featureCount, windowLength } from '@picket/shared/features/feature-schema';
import { trafficClasses } from '@picket/shared/features/traffic-classes';
import type { GraphBuilder, Tensor } from './graph-builder.ts';

const channels = 48;
const hidden = 32;
const kernel = 3;
/** The 78 features and one more that says whether a flow stands in the slot at all. */
const inputWidth = featureCount + 1;
const headWidth = hidden + 2 * channels;
export const classCount = trafficClasses.length;

/** Standardised values beyond this say no more; it bounds what a value never seen in training can do. */
const clipLimit = 6;
/** Added to the input gate of a slot without a flow: it closes, and the LSTM's state stays as it was. */
const closedGate = -40;

/** Order within the flat parameter vector. Gate order within the LSTM: input, output, forget, cell, as ONNX has it. */
const parameterShapes = {
  convWeight: [kernel * inputWidth, channels],
  convBias: [channels],
  lstmInput: [channels, 4 * hidden],
  lstmRecurrent: [hidden, 4 * hidden],
  lstmBias: [4 * hidden],
  headWeight: [headWidth, classCount],
  headBias: [classCount],
} as const;
type ParameterName = keyof typeof parameterShapes;
const parameterNames = Object.keys(parameterShapes) as ParameterName[];

export const parameterCount = parameterNames.reduce((sum, name) => sum + sizeOf(name), 0);

/** Of log1p(max(feature, 0)), over the training flows. A masked feature has scale 0. */
export interface Scaler {
  readonly mean: Float32Array;
  /** 1 / standard deviation. */
  readonly scale: Float32Array;
}

/** Everything that turns raw windows into scores. */
export interface TrainedNetwork {
  readonly scaler: Scaler;
  /** Flat, `parameterCount` long. */
  readonly parameters: Float32Array;
  /** Logits are divided by it, so that a score of 0.9 means nine in ten. */
  readonly temperature: number;
}

export interface WindowInputs {
  /** [batch, 10, 78], raw. */
  readonly windows: Tensor;
  /** [batch], 1 to 10; present flows stand in the last slots. */
  readonly flowsSeen: Tensor;
}

export interface PreparedWindows {
  /** [batch, 10, 78]; 0 where a feature is masked or a slot empty. */
  readonly standardised: Tensor;
  /** [batch, 10, 1], 1 where a flow stands. */
  readonly present: Tensor;
  /** [batch, 1] */
  readonly flowsSeen: Tensor;
}

export function windowInputs(graph: GraphBuilder): WindowInputs {
  return {
    windows: graph.input('windows', ['batch', windowLength, featureCount]),
    flowsSeen: graph.input('flows_seen', ['batch']),
  };
}

/**
 * log1p, standardise, clip, and blank the empty slots. NaN, infinities and whatever is negative (a rate without
 * duration, a TCP window that never was) count as 0, whoever hands the window in.
 */
export function prepareWindows(graph: GraphBuilder, inputs: WindowInputs, scaler: Scaler): PreparedWindows {
  const shape = inputs.windows.shape;
  const batch = shape[0]!;
  const flowsSeen = graph.reshape(inputs.flowsSeen, [batch, 1]);
  const slotNumbers = graph.constant(
    Array.from({ length: windowLength }, (_, slot) => slot),
    [1, windowLength],
  );
  const filled = graph.one(
    'GreaterOrEqual',
    [graph.add(slotNumbers, flowsSeen), graph.scalar(windowLength)],
    [batch, windowLength],
  );
  const present = graph.reshape(graph.one('Cast', [filled], [batch, windowLength], { to: 1 }), [
    batch,
    windowLength,
    1,
  ]);
  const zero = graph.scalar(0);
  const usable = graph.one(
    'And',
    [
      graph.one('GreaterOrEqual', [inputs.windows, zero], shape),
      graph.one('LessOrEqual', [inputs.windows, graph.scalar(largestFloat)], shape),
    ],
    shape,
  );
  const values = graph.one('Where', [usable, inputs.windows, zero], shape);
  const logarithms = graph.unary('Log', graph.add(values, graph.scalar(1)));
  const centred = graph.sub(logarithms, graph.constant(scaler.mean, [featureCount]));
  const scaled = graph.mul(centred, graph.constant(scaler.scale, [featureCount]));
  const clipped = graph.one('Clip', [scaled, graph.scalar(-clipLimit), graph.scalar(clipLimit)], shape);
  return { standardised: graph.mul(clipped, present), present, flowsSeen };
}

const largestFloat = 3.4e38;

/** The flat vector taken apart; gradients flow back through it. */
export function splitParameters(graph: GraphBuilder, flat: Tensor): Record<ParameterName, Tensor> {
  const parts = graph.split(flat, parameterNames.map(sizeOf), 0);
  return Object.fromEntries(
    parameterNames.map((name, index) => [name, graph.reshape(parts[index]!, parameterShapes[name])]),
  ) as Record<ParameterName, Tensor>;
}

/** Logits [batch, classes] in plain operators. */
export function plainForward(
  graph: GraphBuilder,
  { standardised, present, flowsSeen }: PreparedWindows,
  parameters: Record<ParameterName, Tensor>,
): Tensor {
  const flows = graph.concat([standardised, present], 2);
  const neighbours = graph.concat([shifted(graph, flows, 'later'), flows, shifted(graph, flows, 'earlier')], 2);
  const activation = graph.unary(
    'Relu',
    graph.add(graph.matMul(neighbours, parameters.convWeight), parameters.convBias),
  );
  const embedded = graph.mul(activation, present);

  const projected = graph.add(graph.matMul(embedded, parameters.lstmInput), parameters.lstmBias);
  const gated = graph.add(projected, graph.mul(absence(graph, present), graph.constant(gateOfAbsence(), [4 * hidden])));
  const steps = graph.split(
    gated,
    Array.from({ length: windowLength }, () => 1),
    1,
  );
  let output: Tensor | undefined;
  let cell: Tensor | undefined;
  for (const step of steps) {
    const input = graph.reshape(step, ['batch', 4 * hidden]);
    const sum = output === undefined ? input : graph.add(input, graph.matMul(output, parameters.lstmRecurrent));
    const [i, o, f, g] = graph.split(sum, [hidden, hidden, hidden, hidden], 1) as [Tensor, Tensor, Tensor, Tensor];
    const written = graph.mul(graph.unary('Sigmoid', i), graph.unary('Tanh', g));
    cell = cell === undefined ? written : graph.add(graph.mul(graph.unary('Sigmoid', f), cell), written);
    output = graph.mul(graph.unary('Sigmoid', o), graph.unary('Tanh', cell));
  }
  const summary = poolAndJoin(graph, output!, embedded, flowsSeen);
  return graph.add(graph.matMul(summary, parameters.headWeight), parameters.headBias);
}

/** The same logits by Conv and LSTM operators, with the parameters inside. */
export function fusedForward(
  graph: GraphBuilder,
  { standardised, present, flowsSeen }: PreparedWindows,
  flat: Float32Array,
): Tensor {
  const parameters = cutParameters(flat);
  const flows = graph.transpose(graph.concat([standardised, present], 2), [0, 2, 1]);
  const weight = graph.constant(convKernel(parameters.convWeight), [channels, inputWidth, kernel]);
  const bias = graph.constant(parameters.convBias, [channels]);
  const convolved = graph.one('Conv', [flows, weight, bias], ['batch', channels, windowLength], {
    pads: [1, 1],
    kernel_shape: [kernel],
  });
  const embedded = graph.mul(graph.transpose(graph.unary('Relu', convolved), [0, 2, 1]), present);

  const sequence = graph.transpose(graph.concat([embedded, absence(graph, present)], 2), [1, 0, 2]);
  const inputWeight = transposed([...parameters.lstmInput, ...gateOfAbsence()], channels + 1, 4 * hidden);
  const recurrent = transposed(parameters.lstmRecurrent, hidden, 4 * hidden);
  const lstm = graph.apply(
    'LSTM',
    [
      sequence,
      graph.constant(inputWeight, [1, 4 * hidden, channels + 1]),
      graph.constant(recurrent, [1, 4 * hidden, hidden]),
      graph.constant([...parameters.lstmBias, ...new Float32Array(4 * hidden)], [1, 8 * hidden]),
    ],
    [
      [windowLength, 1, 'batch', hidden],
      [1, 'batch', hidden],
    ],
    { hidden_size: hidden },
  );
  const summary = poolAndJoin(graph, graph.reshape(lstm[1]!, ['batch', hidden]), embedded, flowsSeen);
  return graph.add(
    graph.matMul(summary, graph.constant(parameters.headWeight, [headWidth, classCount])),
    graph.constant(parameters.headBias, [classCount]),
  );
}

/** Glorot-uniform weights, zero biases, forget gates open. */
export function initialParameters(random: () => number): Float32Array {
  const flat = new Float32Array(parameterCount);
  let at = 0;
  for (const name of parameterNames) {
    const shape: readonly number[] = parameterShapes[name];
    const limit = shape.length === 2 ? Math.sqrt(6 / (shape[0]! + shape[1]!)) : 0;
    for (let index = 0; index < sizeOf(name); index++, at++) {
      const forgetBias = name === 'lstmBias' && index >= 2 * hidden && index < 3 * hidden;
      flat[at] = forgetBias ? 1 : (2 * random() - 1) * limit;
    }
  }
  return flat;
}

/** LSTM state, largest and mean activation, side by side: [batch, headWidth]. */
function poolAndJoin(graph: GraphBuilder, state: Tensor, embedded: Tensor, flowsSeen: Tensor): Tensor {
  const largest = graph.reshape(graph.reduceMax(embedded, 1), ['batch', channels]);
  const sum = graph.reshape(graph.reduceSum(embedded, [1], true), ['batch', channels]);
  return graph.concat([state, largest, graph.div(sum, flowsSeen)], 1);
}

/** Each slot's neighbour: `later` shows the flow before it, `earlier` the one after it; 0 at the ends. */
function shifted(graph: GraphBuilder, flows: Tensor, by: 'later' | 'earlier'): Tensor {
  const last = windowLength - 1;
  const zero = graph.scalar(0);
  if (by === 'later') {
    const [kept, dropped] = graph.split(flows, [last, 1], 1) as [Tensor, Tensor];
    return graph.concat([graph.mul(dropped, zero), kept], 1);
  }
  const [dropped, kept] = graph.split(flows, [1, last], 1) as [Tensor, Tensor];
  return graph.concat([kept, graph.mul(dropped, zero)], 1);
}

function absence(graph: GraphBuilder, present: Tensor): Tensor {
  return graph.sub(graph.scalar(1), present);
}

function gateOfAbsence(): Float32Array {
  return new Float32Array(4 * hidden).fill(closedGate, 0, hidden);
}

function sizeOf(name: ParameterName): number {
  return parameterShapes[name].reduce((product: number, size) => product * size, 1);
}

function cutParameters(flat: Float32Array): Record<ParameterName, Float32Array> {
  let at = 0;
  const cut = parameterNames.map((name) => [name, flat.subarray(at, (at += sizeOf(name)))] as const);
  return Object.fromEntries(cut) as Record<ParameterName, Float32Array>;
}

/** From rows of (slot, input) by channel to ONNX's channel, input, slot. */
function convKernel(rows: Float32Array): Float32Array {
  const result = new Float32Array(rows.length);
  for (let tap = 0; tap < kernel; tap++) {
    for (let input = 0; input < inputWidth; input++) {
      for (let channel = 0; channel < channels; channel++) {
        result[(channel * inputWidth + input) * kernel + tap] = rows[(tap * inputWidth + input) * channels + channel]!;
      }
    }
  }
  return result;
}

function transposed(values: ArrayLike<number>, rows: number, columns: number): Float32Array {
  const result = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) result[column * rows + row] = values[row * columns + column]!;
  }
  return result;
}
