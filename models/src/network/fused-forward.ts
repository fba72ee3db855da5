/**
 * The network of `cnn-lstm.ts` with the parameters inside, laid out for speed: quicker, no gradients. Most of the time of
 * a small network is spent on small operators, so whatever is linear became part of a matrix beside it: the scaler is in
 * the first layer's weights, masks are a channel that says that no flow stands in a slot, parts that are left out have
 * weights of 0, the temperature is in the last layer's.
 */
import { featureCount, windowLength } from '@picket/shared/features/feature-schema';
import { gateOfAbsence } from './cnn-lstm.ts';
import type { NetworkDesign, TrainedNetwork } from './cnn-lstm.ts';
import type { GraphBuilder, Tensor } from './graph-builder.ts';
import { Matrix } from './matrix.ts';
import {
  attackCount,
  channels,
  classCount,
  cutParameters,
  embeddingWidth,
  firstWidth,
  headWidth,
  hidden,
  kernel,
} from './network-parameters.ts';
import type { ParameterName } from './network-parameters.ts';
import { clipLimit } from './prepare-windows.ts';
import type { CleanWindows, Scaler } from './prepare-windows.ts';
import { placeColumns, surroundingsWidth } from './surroundings.ts';

type Values = Readonly<Record<ParameterName, Float32Array>>;

/** Pushes below 0, or out of a softmax, whatever the sum it is added to. */
const overwhelming = -1e9;
/** Added to the attention of a slot without a flow, and to each attack that it could be suspected of. */
const unheard = -60;
const wide = embeddingWidth + 1;
const placeWidth = Object.values(placeColumns).reduce((sum, width) => sum + width, 0);
const [samePortAt, presentAt, surroundingsAt, absentAt] = [0, 1, 2, 2 + surroundingsWidth] as const;

/** Calibrated logits [batch, classes]. */
export function fusedForward(graph: GraphBuilder, windows: CleanWindows, network: TrainedNetwork): Tensor {
  const { flowsSeen } = windows;
  const values = cutParameters(network.parameters);
  const embedded = embedFlows(graph, windows, values, network);
  const convolved = convolve(graph, embedded, values, network.design);

  const sequence = graph.transpose(convolved, [1, 0, 2]);
  const lstm = graph.apply(
    'LSTM',
    [
      sequence,
      graph.constant(lstmInput(values).transposed().values, [1, 4 * hidden, channels + 1]),
      graph.constant(Matrix.of(values.lstmRecurrent, hidden, 4 * hidden).transposed().values, [1, 4 * hidden, hidden]),
      graph.constant([...values.lstmBias, ...new Float32Array(4 * hidden)], [1, 8 * hidden]),
    ],
    [
      [windowLength, 1, 'batch', hidden],
      [1, 'batch', hidden],
    ],
    { hidden_size: hidden },
  );
  const state = graph.reshape(lstm[1]!, ['batch', hidden]);

  const judging = judgingWeight(values);
  const judged = graph.add(
    graph.matMul(graph.concat([embedded, convolved], 2), judging.in(graph)),
    graph.constant([...values.flowBias, 0], [classCount + 1]),
  );
  const [flowLogits, attention] = graph.split(judged, [classCount, 1], 2) as [Tensor, Tensor];
  const likely = graph.one('Softmax', [flowLogits], flowLogits.shape, { axis: 2 });
  const slots = ['batch', windowLength] as const;
  const attended = graph.one('Softmax', [graph.reshape(attention, slots)], slots, { axis: 1 });
  const evenly = graph.div(graph.constant(new Float32Array(windowLength).fill(1), [1, windowLength]), flowsSeen);
  const shares = graph.reshape(graph.concat([attended, evenly], 1), ['batch', 2, windowLength]);

  const pooledWidth = wide + classCount;
  const flows = graph.concat([embedded, likely], 2);
  const sums = graph.one('MatMul', [shares, flows], ['batch', 2, pooledWidth]);
  const largest = graph.reduceMax(flows, 1, false);
  const summary = graph.concat([state, largest, graph.reshape(sums, ['batch', 2 * pooledWidth])], 1);
  const { headBias, classWeight, classBias } = values;
  const head = graph.unary(
    'Relu',
    graph.add(
      graph.matMul(summary, headWeight(values, network.design).in(graph)),
      graph.constant(headBias, [headWidth]),
    ),
  );
  const calibrated = (weights: Float32Array): number[] => Array.from(weights, (value) => value / network.temperature);
  return graph.add(
    graph.matMul(head, graph.constant(calibrated(classWeight), [headWidth, classCount])),
    graph.constant(calibrated(classBias), [classCount]),
  );
}

/** [batch, 10, 33]: the embedding, 0 where no flow stands; 1 there in the last channel, 0 elsewhere. */
function embedFlows(
  graph: GraphBuilder,
  { logarithms, places }: CleanWindows,
  values: Values,
  { scaler, design }: TrainedNetwork,
): Tensor {
  const { firstWeight, firstBias, embeddingWeight, embeddingBias } = values;
  const { lowest, highest, weight, offset } = unscaled(scaler, firstWeight);
  const raised = graph.unary(
    'Relu',
    graph.sub(
      graph.one('Min', [logarithms, graph.constant(highest, [featureCount])], logarithms.shape),
      graph.constant(lowest, [featureCount]),
    ),
  );
  const rows = Matrix.of(firstWeight, firstWeight.length / firstWidth, firstWidth);
  const ofPlaces = new Matrix(placeWidth, firstWidth);
  ofPlaces.set(samePortAt, 0, rows.cut(0, 1));
  for (let column = 0; column < firstWidth; column++)
    ofPlaces.put(presentAt, column, rows.get(featureCount, column) + firstBias[column]! + offset[column]!);
  if (design.surroundings) ofPlaces.set(surroundingsAt, 0, rows.cut(featureCount + 1, surroundingsWidth));
  const first = graph.unary(
    'Relu',
    graph.add(graph.matMul(raised, weight.in(graph)), graph.matMul(places, ofPlaces.in(graph))),
  );

  const embedding = new Matrix(firstWidth, wide).set(0, 0, Matrix.of(embeddingWeight, firstWidth, embeddingWidth));
  const masks = new Matrix(placeWidth, wide).set(presentAt, 0, Matrix.of(embeddingBias, 1, embeddingWidth));
  for (let channel = 0; channel < embeddingWidth; channel++) masks.put(absentAt, channel, overwhelming);
  masks.put(absentAt, embeddingWidth, 1);
  return graph.unary(
    'Relu',
    graph.add(graph.matMul(first, embedding.in(graph)), graph.matMul(places, masks.in(graph))),
  );
}

/**
 * A standardised value is max(−4, min(4, ceiling, (logarithm − mean) × scale)). Scale and lower end move into the weights:
 * it is `scale` × max(0, min(`highest`, logarithm) − `lowest`) − 4, of which the − 4 adds up to `offset` [firstWidth].
 */
function unscaled(
  { mean, scale, ceiling }: Scaler,
  firstWeight: Float32Array,
): { readonly lowest: number[]; readonly highest: number[]; readonly weight: Matrix; readonly offset: Float64Array } {
  const lowest = Array.from(mean, (value, column) => (scale[column]! > 0 ? value - clipLimit / scale[column]! : 0));
  const highest = Array.from(mean, (value, column) =>
    scale[column]! > 0 ? value + Math.min(clipLimit, ceiling[column]!) / scale[column]! : 0,
  );
  const weight = new Matrix(featureCount, firstWidth);
  const offset = new Float64Array(firstWidth);
  // Without the first: in the port's place stands something else.
  for (let column = 1; column < featureCount; column++) {
    const bottom = scale[column]! > 0 ? -clipLimit : Math.max(-clipLimit, Math.min(0, ceiling[column]!));
    for (let unit = 0; unit < firstWidth; unit++) {
      const value = firstWeight[column * firstWidth + unit]!;
      weight.put(column, unit, value * scale[column]!);
      offset[unit]! += bottom * value;
    }
  }
  return { lowest, highest, weight, offset };
}

/**
 * [batch, 10, 33]: each flow with its neighbours. All taps at once, then every slot adds up what its neighbours meant
 * for it. The channel of empty slots passes through.
 */
function convolve(
  graph: GraphBuilder,
  embedded: Tensor,
  { convWeight, convBias }: Values,
  design: NetworkDesign,
): Tensor {
  const rows = Matrix.of(convWeight, kernel * embeddingWidth, channels);
  const taps = new Matrix(wide, kernel * wide);
  const sum = new Matrix(windowLength, windowLength * kernel);
  for (let tap = 0; tap < kernel; tap++) {
    if (design.neighbours || tap === 1) taps.set(0, tap * wide, rows.cut(tap * embeddingWidth, embeddingWidth));
    for (let slot = 0; slot < windowLength; slot++) {
      const from = slot + tap - 1;
      if (from >= 0 && from < windowLength) sum.put(slot, from * kernel + tap, 1);
    }
  }
  taps.put(embeddingWidth, wide + channels, 1);
  const meant = graph.reshape(graph.matMul(embedded, taps.in(graph)), ['batch', windowLength * kernel, wide]);
  const added = graph.one('MatMul', [sum.in(graph), meant], ['batch', windowLength, wide]);
  return graph.unary('Relu', graph.add(added, graph.constant([...convBias, 0], [wide])));
}

/** An empty slot closes the input gate. */
function lstmInput({ lstmInput: weight }: Values): Matrix {
  return new Matrix(channels + 1, 4 * hidden)
    .set(0, 0, Matrix.of(weight, channels, 4 * hidden))
    .set(channels, 0, Matrix.of(gateOfAbsence(), 1, 4 * hidden));
}

/** From embedding and convolution to the logits of a flow, and how much it is attended to. */
function judgingWeight({ flowWeight, attentionWeight }: Values): Matrix {
  const rows = Matrix.of(flowWeight, embeddingWidth + channels, classCount);
  const weight = new Matrix(2 * wide, classCount + 1)
    .set(0, 0, rows.cut(0, embeddingWidth))
    .set(wide, 0, rows.cut(embeddingWidth, channels))
    .set(0, classCount, Matrix.of(attentionWeight, embeddingWidth, 1));
  for (let column = 1; column <= classCount; column++) weight.put(embeddingWidth, column, unheard);
  return weight;
}

/** Laid out for: state; largest, attended and mean of embedding (with its mask) and of what flows are held to be (with benign). */
function headWeight({ headWeight: weight }: Values, design: NetworkDesign): Matrix {
  const rows = Matrix.of(weight, weight.length / headWidth, headWidth);
  const pooled = wide + classCount;
  const result = new Matrix(hidden + 3 * pooled, headWidth);
  let from = 0;
  const move = (used: boolean, count: number, to: number): void => {
    if (used) result.set(to, 0, rows.cut(from, count));
    from += count;
  };
  const [largest, attended, mean] = [hidden, hidden + pooled, hidden + 2 * pooled];
  const attacks = wide + 1;
  move(design.recurrence, hidden, 0);
  move(design.pooling, embeddingWidth, largest);
  move(design.pooling, embeddingWidth, mean);
  move(design.attention, embeddingWidth, attended);
  move(design.suspicion, attackCount, largest + attacks);
  move(design.suspicion, attackCount, mean + attacks);
  return result;
}
