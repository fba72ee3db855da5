/**
 * Adversarial windows that packets could have made. One step of FGSM or PGD against the network: whoever opened the
 * conversation may wait longer and pad what it sends, nothing else; what follows from that (means, rates, extremes) is
 * computed anew from the changed values, so that every flow is one that a meter could have measured.
 */
import { featureCount, featureNames, windowLength } from '@picket/shared/features/feature-schema';
import { plainForward, splitParameters } from './cnn-lstm.ts';
import type { TrainedNetwork } from './cnn-lstm.ts';
import { appendGradients } from './gradients.ts';
import { GraphBuilder } from './graph-builder.ts';
import type { Tensor } from './graph-builder.ts';
import { classCount, parameterCount } from './network-parameters.ts';
import { prepareWindows, windowInputs } from './prepare-windows.ts';

/** What an attacker can raise by waiting and by padding; it can lower none of them, and what is 0 stays 0. */
export const raisableFeatures: readonly string[] = [
  'Flow Duration',
  'Total Length of Fwd Packets',
  'Fwd Packet Length Max',
  'Fwd Packet Length Min',
  'Fwd Packet Length Std',
  'Flow IAT Std',
  'Flow IAT Max',
  'Flow IAT Min',
  'Fwd IAT Total',
  'Fwd IAT Std',
  'Fwd IAT Max',
  'Fwd IAT Min',
];

/**
 * `windows` [batch, 10, 78] raw as they are now, `origin` as they were, `flows_seen` [batch], `flow_context` [batch, 10, 7], `targets` [batch, 11] (one-hot:
 * the classes to get away from), `step` and `epsilon` in standardised units → `perturbed` [batch, 10, 78] raw. FGSM is
 * one run with `origin` = `windows` and `step` = `epsilon`; PGD feeds the result back with a smaller step.
 */
export function buildPerturbGraph(network: TrainedNetwork): Buffer {
  const graph = new GraphBuilder('perturb');
  const inputs = windowInputs(graph);
  const origin = graph.input('origin', ['batch', windowLength, featureCount]);
  const targets = graph.input('targets', ['batch', classCount]);
  const step = graph.input('step', []);
  const epsilon = graph.input('epsilon', []);

  const prepared = prepareWindows(graph, inputs, network.scaler);
  const parameters = splitParameters(graph, graph.constant(network.parameters, [parameterCount]));
  const { logits } = plainForward(graph, prepared, parameters, network.design);
  const logProbabilities = graph.one('LogSoftmax', [logits], logits.shape, { axis: 1 });
  const [uphill] = appendGradients(graph, logProbabilities, graph.unary('Neg', targets), [prepared.standardised]) as [
    Tensor,
  ];

  // One standardised unit of a feature, in logarithms of its raw value.
  const unit = graph.constant(
    Array.from(network.scaler.scale, (scale, column) =>
      scale > 0 && raisableFeatures.includes(featureNames[column]!) ? 1 / scale : 0,
    ),
    [featureCount],
  );
  const logarithm = (raw: Tensor): Tensor => graph.unary('Log', graph.add(graph.unary('Relu', raw), graph.scalar(1)));
  const allowed = graph.mul(unit, graph.unary('Sign', graph.unary('Relu', origin)));
  const moved = graph.add(logarithm(inputs.windows), graph.mul(graph.mul(graph.unary('Sign', uphill), allowed), step));
  const floor = logarithm(origin);
  const risen = graph.unary('Relu', graph.sub(moved, floor));
  const bounded = graph.one('Min', [risen, graph.mul(allowed, epsilon)], risen.shape);
  const factor = graph.sub(graph.unary('Exp', bounded), graph.scalar(1));
  // origin + (origin + 1) × factor, which is origin itself to the last digit where nothing rose.
  const raised = graph.add(origin, graph.mul(graph.add(graph.unary('Relu', origin), graph.scalar(1)), factor));
  graph.output('perturbed', graph.mul(consistent(graph, raised), prepared.present));
  return graph.build();
}

/** The columns that follow from others, computed from them as the meter does. */
function consistent(graph: GraphBuilder, windows: Tensor): Tensor {
  const sizes = Array.from({ length: featureCount }, () => 1);
  const columns = graph.split(windows, sizes, 2);
  const at = (name: string): number => {
    const column = featureNames.indexOf(name);
    if (column < 0) throw new Error(`no feature ${name}`);
    return column;
  };
  const get = (name: string): Tensor => columns[at(name)]!;
  const set = (name: string, tensor: Tensor): void => void (columns[at(name)] = tensor);
  const max = (a: Tensor, b: Tensor): Tensor => graph.add(a, graph.unary('Relu', graph.sub(b, a)));
  const min = (a: Tensor, b: Tensor): Tensor => graph.one('Min', [a, b], a.shape);
  const square = (tensor: Tensor): Tensor => graph.mul(tensor, tensor);
  const whole = (tensor: Tensor): Tensor => {
    const rounded = graph.one('Cast', [graph.add(tensor, graph.scalar(0.5))], tensor.shape, { to: 7 });
    return graph.one('Cast', [rounded], tensor.shape, { to: 1 });
  };
  const oneAtLeast = (tensor: Tensor): Tensor => max(tensor, graph.scalar(1));
  const less = (tensor: Tensor, by: number): Tensor => graph.sub(tensor, graph.scalar(by));

  const forward = get('Total Fwd Packets');
  const backward = get('Total Backward Packets');
  const packets = graph.add(forward, backward);
  for (const name of ['Total Length of Fwd Packets', 'Fwd Packet Length Max', 'Fwd Packet Length Min'] as const) {
    set(name, whole(get(name)));
  }
  const bytes = graph.add(get('Total Length of Fwd Packets'), get('Total Length of Bwd Packets'));
  const forwardMean = graph.div(get('Total Length of Fwd Packets'), oneAtLeast(forward));
  set('Fwd Packet Length Mean', forwardMean);
  set('Avg Fwd Segment Size', forwardMean);
  set('Fwd Packet Length Max', max(get('Fwd Packet Length Max'), forwardMean));
  set('Fwd Packet Length Min', min(get('Fwd Packet Length Min'), forwardMean));
  const mean = graph.div(bytes, oneAtLeast(packets));
  set('Packet Length Mean', mean);
  set('Average Packet Size', mean);
  set('Max Packet Length', max(get('Max Packet Length'), get('Fwd Packet Length Max')));
  const spread = (direction: 'Fwd' | 'Bwd', count: Tensor): Tensor =>
    graph.add(
      graph.mul(graph.unary('Relu', less(count, 1)), square(get(`${direction} Packet Length Std`))),
      graph.mul(count, square(get(`${direction} Packet Length Mean`))),
    );
  const squares = graph.add(spread('Fwd', forward), spread('Bwd', backward));
  const excess = graph.unary('Relu', graph.sub(squares, graph.mul(packets, square(mean))));
  const variance = graph.div(excess, oneAtLeast(less(packets, 1)));
  set('Packet Length Variance', variance);
  set('Packet Length Std', graph.unary('Sqrt', variance));

  const duration = max(max(get('Flow Duration'), get('Fwd IAT Total')), get('Bwd IAT Total'));
  set('Flow Duration', duration);
  const pause = graph.div(duration, oneAtLeast(less(packets, 1)));
  set('Flow IAT Mean', pause);
  set('Flow IAT Max', min(max(get('Flow IAT Max'), pause), duration));
  set('Flow IAT Min', min(get('Flow IAT Min'), pause));
  const forwardPause = graph.div(get('Fwd IAT Total'), oneAtLeast(less(forward, 1)));
  set('Fwd IAT Mean', forwardPause);
  set('Fwd IAT Max', min(max(get('Fwd IAT Max'), forwardPause), get('Fwd IAT Total')));
  set('Fwd IAT Min', min(get('Fwd IAT Min'), forwardPause));
  // Without duration there is no rate.
  const rate = (amount: Tensor): Tensor =>
    graph.mul(graph.div(graph.mul(amount, graph.scalar(1e6)), oneAtLeast(duration)), graph.unary('Sign', duration));
  set('Flow Bytes/s', rate(bytes));
  set('Flow Packets/s', rate(packets));
  set('Fwd Packets/s', rate(forward));
  set('Bwd Packets/s', rate(backward));
  return graph.concat(columns, 2);
}
