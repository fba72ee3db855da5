/**
 * The network of `cnn-lstm.ts` with the parameters inside, in few and wide operators: most of the time of a small network
 * goes into starting operators. What it computes is the same.
 */
import { featureCount, windowLength } from '@picket/shared/features/feature-schema';
import type { NetworkDesign, TrainedNetwork } from './cnn-lstm.ts';
import {
  convKernel,
  featureWeight,
  judgingWeight,
  logitWeight,
  lstmInputWeight,
  lstmRecurrentWeight,
  maskWeight,
  neighbourSum,
  placeWeight,
  pooledWidth,
  raisedFeatures,
  summaryWeight,
  tapWeight,
  wideEmbedding,
  wideEmbeddingWeight,
} from './fused-weights.ts';
import type { Values } from './fused-weights.ts';
import type { GraphBuilder, Tensor } from './graph-builder.ts';
import { Matrix } from './matrix.ts';
import { classCount, cutParameters, firstWidth, hidden, kernel } from './network-parameters.ts';
import type { CleanWindows, PreparedWindows } from './prepare-windows.ts';
import { fromQuiet, placeWidth, spanCount, spanWeight } from './surroundings.ts';

/** Calibrated logits, [batch, classes]. */
export function fusedForward(graph: GraphBuilder, windows: CleanWindows, network: TrainedNetwork): Tensor {
  const values = cutParameters(network.parameters);
  const { lowest, highest, weight, offset } = raisedFeatures(network.scaler, values);
  const capped = graph.one(
    'Min',
    [windows.logarithms, graph.constant(highest, [featureCount])],
    windows.logarithms.shape,
  );
  const raised =
    lowest === undefined ? capped : graph.unary('Relu', graph.sub(capped, graph.constant(lowest, [featureCount])));
  const ofPlaces = placeWeight(values, network.design, { samePort: true, offset });
  const both = new Matrix(featureCount + placeWidth, firstWidth).set(0, 0, weight).set(featureCount, 0, ofPlaces);
  const sums = graph.matMul(graph.concat([raised, windows.places], 2), graph.matrix(both));
  return fusedLayers(graph, { sums, ...windows }, network, convolveAtOnce);
}

export interface FirstSums {
  /** [1, 10, 85]: standardised features, and how far each span of the surroundings is from quiet. */
  readonly moving: Tensor;
  /** [85, 64], of these. */
  readonly weight: Tensor;
  /** What all else adds up to, and the surroundings where all is quiet: [1, 10, 64]. */
  readonly standing: Tensor;
}

/** The first layer of one window before its Relu, `moving` × `weight` + `standing`: what attributions are told of stands apart. */
export function firstSums(
  graph: GraphBuilder,
  { standardised, places }: PreparedWindows,
  { parameters, design }: TrainedNetwork,
): FirstSums {
  const values = cutParameters(parameters);
  const ofPlaces = placeWeight(values, design, { samePort: false });
  const ofSpans = spanWeight(ofPlaces);
  const weight = new Matrix(featureCount + spanCount, firstWidth)
    .set(0, 0, featureWeight(values))
    .set(featureCount, 0, ofSpans);
  const difference = fromQuiet();
  return {
    moving: graph.concat([standardised, graph.matMul(places, graph.matrix(difference))], 2),
    weight: graph.matrix(weight),
    standing: graph.matMul(places, graph.matrix(ofPlaces.minus(difference.times(ofSpans)))),
  };
}

export interface FirstLayer {
  /** [batch, 10, 64], before the Relu. */
  readonly sums: Tensor;
  /** [batch or 1, 10, 22] */
  readonly places: Tensor;
  /** [batch, 1] */
  readonly flowsSeen: Tensor;
}

/** Embedded flows beside their neighbours, before the Relu: [batch, 10, 34] to the same shape. */
export type Convolution = (graph: GraphBuilder, embedded: Tensor, values: Values, design: NetworkDesign) => Tensor;

/**
 * By onnxruntime's own Conv, which has no gradient here. All windows are the rows of one image: one product for them all, a
 * small one for each takes a third longer.
 */
const convolveAtOnce: Convolution = (graph, embedded, values, design) => {
  const weight = graph.constant(convKernel(values, design), [wideEmbedding, wideEmbedding, 1, kernel]);
  const image = [1, wideEmbedding, 'batch', windowLength] as const;
  const convolved = graph.one('Conv', [graph.reshape(graph.transpose(embedded, [2, 0, 1]), image), weight], image, {
    pads: [0, 1, 0, 1],
    kernel_shape: [1, kernel],
  });
  return graph.transpose(graph.reshape(convolved, [wideEmbedding, 'batch', windowLength]), [1, 2, 0]);
};

/** By products, for what needs the gradient. */
export const convolveByTaps: Convolution = (graph, embedded, values, design) => {
  const taps = graph.matMul(embedded, graph.matrix(tapWeight(values, design)));
  const ofTaps = graph.reshape(taps, ['batch', windowLength * kernel, wideEmbedding]);
  return graph.matMul(graph.matrix(neighbourSum()), ofTaps);
};

/** From the first layer on: calibrated logits, [batch, classes]. */
export function fusedLayers(
  graph: GraphBuilder,
  { sums, places, flowsSeen }: FirstLayer,
  { parameters, calibration, design }: TrainedNetwork,
  convolve: Convolution,
): Tensor {
  const values = cutParameters(parameters);
  const embedded = graph.unary(
    'Relu',
    graph.add(
      graph.matMul(graph.unary('Relu', sums), graph.matrix(wideEmbeddingWeight(values))),
      graph.matMul(places, graph.matrix(maskWeight(values))),
    ),
  );

  const convolved = graph.unary('Relu', convolve(graph, embedded, values, design));

  const lstm = graph.apply(
    'LSTM',
    [
      graph.transpose(convolved, [1, 0, 2]),
      graph.constant(lstmInputWeight(values).values, [1, 4 * hidden, wideEmbedding]),
      graph.constant(lstmRecurrentWeight(values).values, [1, 4 * hidden, hidden]),
    ],
    [
      [windowLength, 1, 'batch', hidden],
      [1, 'batch', hidden],
    ],
    { hidden_size: hidden },
  );

  const judged = graph.matMul(graph.concat([embedded, convolved], 2), graph.matrix(judgingWeight(values)));
  const [flowLogits, attention] = graph.split(judged, [classCount, 1], 2) as [Tensor, Tensor];
  const likely = graph.one('Softmax', [flowLogits], flowLogits.shape, { axis: 2 });
  const slots = ['batch', windowLength] as const;
  const attended = graph.one('Softmax', [graph.reshape(attention, slots)], slots, { axis: 1 });
  const evenly = graph.div(graph.constant(new Float32Array(windowLength).fill(1), [1, windowLength]), flowsSeen);

  const flows = graph.concat([embedded, likely], 2);
  const shares = graph.reshape(graph.concat([attended, evenly], 1), ['batch', 2, windowLength]);
  const pooled = graph.reshape(graph.matMul(shares, flows), ['batch', 2 * pooledWidth]);
  const state = graph.reshape(lstm[1]!, ['batch', hidden]);
  const summary = graph.concat([state, graph.reduceMax(flows, 1, false), pooled], 1);

  const head = graph.unary('Relu', graph.matMul(summary, graph.matrix(summaryWeight(values, design))));
  return graph.matMul(head, graph.matrix(logitWeight(values, calibration)));
}
