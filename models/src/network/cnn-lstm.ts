/**
 * The network, described once: each flow embedded on its own → convolution over neighbouring flows → LSTM, which knows
 * order; beside it the largest, the mean and an attended embedding, which know none, and what each flow looks like beside
 * its neighbours, judged by a head of its own that is taught the truth of every flow, so that an attack diluted among
 * benign flows still shows → one head for all classes. Here in plain operators that have gradients; `fused-forward.ts`
 * writes the same in fewer operators, with onnxruntime's own LSTM. Knows nothing about files or data.
 */
import { windowLength } from '@picket/shared/features/feature-schema';
import type { GraphBuilder, Tensor } from './graph-builder.ts';
import {
  attackCount,
  embeddingWidth,
  hidden,
  parameterNames,
  parameterShapes,
  parameterSize,
} from './network-parameters.ts';
import type { ParameterName } from './network-parameters.ts';
import type { PreparedWindows, Scaler } from './prepare-windows.ts';
import { surroundingsUsed, surroundingsWidth } from './surroundings.ts';

/** Parts of the network that can be left out, to see whether they earn their place. */
export interface NetworkDesign {
  readonly recurrence: boolean;
  /** Off: the convolution sees one flow at a time. */
  readonly neighbours: boolean;
  /** Largest and mean embedding. */
  readonly pooling: boolean;
  readonly attention: boolean;
  /** What the flows' own head suspects. */
  readonly suspicion: boolean;
  /** Ages, peers and directions of flows; off: as if nobody knew. */
  readonly surroundings: boolean;
  /** How long device and peer have known each other. */
  readonly familiarity: boolean;
}

export const wholeDesign: NetworkDesign = {
  recurrence: true,
  neighbours: true,
  pooling: true,
  attention: true,
  suspicion: true,
  surroundings: true,
  familiarity: true,
};

export interface Judgement {
  /** [batch, classes] */
  readonly logits: Tensor;
  /** [batch, 10, classes], of each flow */
  readonly flowLogits: Tensor;
}

/** Everything that turns raw windows into scores. */
export interface TrainedNetwork {
  readonly scaler: Scaler;
  /** Flat, `parameterCount` long. */
  readonly parameters: Float32Array;
  readonly calibration: Calibration;
  readonly design: NetworkDesign;
}

/** What is done to logits, so that a score of 0.9 means nine in ten: which attack is the likeliest stays as it was. */
export interface Calibration {
  /** All logits are divided by it. */
  readonly temperature: number;
  /** Then added to that of each attack, in logits: the logit of the score rises by just as much. */
  readonly offset: number;
}

export const uncalibrated: Calibration = { temperature: 1, offset: 0 };

type Weights<Name extends ParameterName> = Readonly<Record<Name, Tensor>>;

/** Added to the input gate of a slot without a flow: it closes, and the LSTM's state stays as it was. */
const closedGate = -40;
/** Added to the attention of a slot without a flow. */
const unattended = -40;

/** The flat vector taken apart; gradients flow back through it. */
export function splitParameters(graph: GraphBuilder, flat: Tensor): Record<ParameterName, Tensor> {
  const parts = graph.split(flat, parameterNames.map(parameterSize), 0);
  return Object.fromEntries(
    parameterNames.map((name, index) => [name, graph.reshape(parts[index]!, parameterShapes[name])]),
  ) as Record<ParameterName, Tensor>;
}

/** In plain operators. `keep` [batch, summaryWidth] multiplies the summary: dropout. */
export function plainForward(
  graph: GraphBuilder,
  prepared: PreparedWindows,
  parameters: Record<ParameterName, Tensor>,
  design: NetworkDesign,
  keep?: Tensor,
): Judgement {
  const { present } = prepared;
  const embedded = embed(graph, prepared, parameters, design);
  const later = shifted(graph, embedded, 'later');
  const earlier = shifted(graph, embedded, 'earlier');
  const neighbours = graph.concat(
    design.neighbours ? [later, embedded, earlier] : [blank(graph, later), embedded, blank(graph, earlier)],
    2,
  );
  const activation = graph.unary(
    'Relu',
    graph.add(graph.matMul(neighbours, parameters.convWeight), parameters.convBias),
  );
  const convolved = graph.mul(activation, present);

  const projected = graph.add(graph.matMul(convolved, parameters.lstmInput), parameters.lstmBias);
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
  const flowLogits = judgeFlows(graph, embedded, convolved, parameters);
  const summary = summarise(graph, { state: output!, embedded, flowLogits }, prepared, parameters, design);
  const logits = classify(graph, keep === undefined ? summary : graph.mul(summary, keep), parameters);
  return { logits, flowLogits };
}

/** [batch, 10, embeddingWidth], 0 where no flow stands. */
function embed(
  graph: GraphBuilder,
  { standardised, present, surroundings }: PreparedWindows,
  weights: Weights<'firstWeight' | 'firstBias' | 'embeddingWeight' | 'embeddingBias'>,
  design: NetworkDesign,
): Tensor {
  const beside = graph.mul(surroundings, graph.constant(surroundingsUsed(design), [surroundingsWidth]));
  const flows = graph.concat([standardised, present, beside], 2);
  const first = graph.unary('Relu', graph.add(graph.matMul(flows, weights.firstWeight), weights.firstBias));
  const second = graph.unary('Relu', graph.add(graph.matMul(first, weights.embeddingWeight), weights.embeddingBias));
  return graph.mul(second, present);
}

/** [batch, 10, classes]: each flow with its neighbours in view. */
function judgeFlows(
  graph: GraphBuilder,
  embedded: Tensor,
  convolved: Tensor,
  weights: Weights<'flowWeight' | 'flowBias'>,
): Tensor {
  return graph.add(graph.matMul(graph.concat([embedded, convolved], 2), weights.flowWeight), weights.flowBias);
}

/**
 * LSTM state; largest, mean and attended embedding; largest and mean of what flows are suspected of, side by side:
 * [batch, summaryWidth].
 */
function summarise(
  graph: GraphBuilder,
  { state, embedded, flowLogits }: { readonly state: Tensor; readonly embedded: Tensor; readonly flowLogits: Tensor },
  { present, flowsSeen }: PreparedWindows,
  { attentionWeight }: Weights<'attentionWeight'>,
  design: NetworkDesign,
): Tensor {
  const pooled = ['batch', embeddingWidth] as const;
  const largest = graph.reshape(graph.reduceMax(embedded, 1), pooled);
  const mean = graph.div(graph.reshape(graph.reduceSum(embedded, [1], true), pooled), flowsSeen);
  const hint = graph.mul(absence(graph, present), graph.scalar(unattended));
  const attention = graph.one(
    'Softmax',
    [graph.add(graph.matMul(embedded, attentionWeight), hint)],
    ['batch', windowLength, 1],
    { axis: 1 },
  );
  const attended = graph.reshape(graph.reduceSum(graph.mul(embedded, attention), [1], true), pooled);
  const judged = graph.one('Softmax', [flowLogits], flowLogits.shape, { axis: 2 });
  const suspected = graph.mul(graph.split(judged, [1, attackCount], 2)[1]!, present);
  const kinds = ['batch', attackCount] as const;
  const worst = graph.reshape(graph.reduceMax(suspected, 1), kinds);
  const usual = graph.div(graph.reshape(graph.reduceSum(suspected, [1], true), kinds), flowsSeen);
  const used = (isUsed: boolean, tensor: Tensor): Tensor => (isUsed ? tensor : blank(graph, tensor));
  return graph.concat(
    [
      used(design.recurrence, state),
      used(design.pooling, largest),
      used(design.pooling, mean),
      used(design.attention, attended),
      used(design.suspicion, worst),
      used(design.suspicion, usual),
    ],
    1,
  );
}

function classify(
  graph: GraphBuilder,
  summary: Tensor,
  weights: Weights<'headWeight' | 'headBias' | 'classWeight' | 'classBias'>,
): Tensor {
  const head = graph.unary('Relu', graph.add(graph.matMul(summary, weights.headWeight), weights.headBias));
  return graph.add(graph.matMul(head, weights.classWeight), weights.classBias);
}

/** Each slot's neighbour: `later` shows the flow before it, `earlier` the one after it; 0 at the ends. */
function shifted(graph: GraphBuilder, flows: Tensor, by: 'later' | 'earlier'): Tensor {
  const last = windowLength - 1;
  if (by === 'later') {
    const [kept, dropped] = graph.split(flows, [last, 1], 1) as [Tensor, Tensor];
    return graph.concat([blank(graph, dropped), kept], 1);
  }
  const [dropped, kept] = graph.split(flows, [1, last], 1) as [Tensor, Tensor];
  return graph.concat([kept, blank(graph, dropped)], 1);
}

function blank(graph: GraphBuilder, tensor: Tensor): Tensor {
  return graph.mul(tensor, graph.scalar(0));
}

function absence(graph: GraphBuilder, present: Tensor): Tensor {
  return graph.sub(graph.scalar(1), present);
}

export function gateOfAbsence(): Float32Array {
  return new Float32Array(4 * hidden).fill(closedGate, 0, hidden);
}
