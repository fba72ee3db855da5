/** The network of `cnn-lstm.ts` by onnxruntime's own Conv and LSTM, with the parameters inside: quicker, no gradients. */
import { windowLength } from '@picket/shared/features/feature-schema';
import { absence, classify, embed, gateOfAbsence, judgeFlows, summarise } from './cnn-lstm.ts';
import type { NetworkDesign } from './cnn-lstm.ts';
import type { GraphBuilder, Tensor } from './graph-builder.ts';
import { channels, cutParameters, embeddingWidth, hidden, kernel, parameterShapes } from './network-parameters.ts';
import type { ParameterName } from './network-parameters.ts';
import type { PreparedWindows } from './prepare-windows.ts';

/** Those that are used as they stand; the others are laid out anew for Conv and LSTM. */
const plainWeights = [
  'firstWeight',
  'firstBias',
  'embeddingWeight',
  'embeddingBias',
  'convBias',
  'attentionWeight',
  'flowWeight',
  'flowBias',
  'headWeight',
  'headBias',
  'classWeight',
  'classBias',
] as const satisfies readonly ParameterName[];

/** The same logits by Conv and LSTM operators, with the parameters inside. */
export function fusedForward(
  graph: GraphBuilder,
  prepared: PreparedWindows,
  flat: Float32Array,
  design: NetworkDesign,
): Tensor {
  const { present } = prepared;
  const values = cutParameters(flat);
  const weights = Object.fromEntries(
    plainWeights.map((name) => [name, graph.constant(values[name], parameterShapes[name])]),
  ) as Record<(typeof plainWeights)[number], Tensor>;
  const embedded = embed(graph, prepared, weights, design);
  const weight = graph.constant(convKernel(values.convWeight, design), [channels, embeddingWidth, kernel]);
  const convolution = graph.one(
    'Conv',
    [graph.transpose(embedded, [0, 2, 1]), weight, weights.convBias],
    ['batch', channels, windowLength],
    { pads: [1, 1], kernel_shape: [kernel] },
  );
  const convolved = graph.mul(graph.transpose(graph.unary('Relu', convolution), [0, 2, 1]), present);

  const sequence = graph.transpose(graph.concat([convolved, absence(graph, present)], 2), [1, 0, 2]);
  const inputWeight = transposed([...values.lstmInput, ...gateOfAbsence()], channels + 1, 4 * hidden);
  const recurrent = transposed(values.lstmRecurrent, hidden, 4 * hidden);
  const lstm = graph.apply(
    'LSTM',
    [
      sequence,
      graph.constant(inputWeight, [1, 4 * hidden, channels + 1]),
      graph.constant(recurrent, [1, 4 * hidden, hidden]),
      graph.constant([...values.lstmBias, ...new Float32Array(4 * hidden)], [1, 8 * hidden]),
    ],
    [
      [windowLength, 1, 'batch', hidden],
      [1, 'batch', hidden],
    ],
    { hidden_size: hidden },
  );
  const state = graph.reshape(lstm[1]!, ['batch', hidden]);
  const flowLogits = judgeFlows(graph, embedded, convolved, weights);
  const summary = summarise(graph, { state, embedded, flowLogits }, prepared, weights, design);
  return classify(graph, summary, weights);
}

/** From rows of (slot, input) by channel to ONNX's channel, input, slot. */
function convKernel(rows: Float32Array, design: NetworkDesign): Float32Array {
  const result = new Float32Array(rows.length);
  for (let tap = 0; tap < kernel; tap++) {
    if (!design.neighbours && tap !== 1) continue;
    for (let input = 0; input < embeddingWidth; input++) {
      for (let channel = 0; channel < channels; channel++) {
        result[(channel * embeddingWidth + input) * kernel + tap] =
          rows[(tap * embeddingWidth + input) * channels + channel]!;
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
