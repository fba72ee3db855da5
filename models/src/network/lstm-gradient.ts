/**
 * Backwards through onnxruntime's own LSTM. Its gates are computed anew for all slots at once, from the states that it
 * gave out; only what really depends on the slot before goes slot by slot. A tenth of the operators that an LSTM in plain
 * operators and its gradients take.
 */
import type { GraphBuilder, Operation, Tensor } from './graph-builder.ts';
import { Matrix } from './matrix.ts';

/** The gradient of the input sequence [slots, batch, inputs] from that of the last state [1, batch, hidden]; of an LSTM without biases. */
export function lstmInputGradient(
  graph: GraphBuilder,
  { inputs, outputs, attributes }: Operation,
  last: Tensor,
): Tensor {
  const [sequence, ...stored] = inputs as [Tensor, Tensor, Tensor];
  const hidden = attributes['hidden_size'] as number;
  const [slots, batch, width] = sequence.shape as [number, string, number];
  const [inputValues, stateValues] = stored.map((tensor) => graph.storedValues(tensor)) as [Float32Array, Float32Array];
  const ofInput = new Matrix(4 * hidden, width, inputValues);
  const ofState = new Matrix(4 * hidden, hidden, stateValues);
  const each = Array.from({ length: slots }, () => 1);
  const one = [1, batch, hidden] as const;

  // What went in, and the state of the slot before.
  const states = graph.reshape(outputs[0]!, [slots, batch, hidden]);
  const [earlier, newest] = graph.split(states, [slots - 1, 1], 0) as [Tensor, Tensor];
  const nothing = graph.mul(newest, graph.scalar(0));
  const entering = graph.concat([sequence, graph.concat([nothing, earlier], 0)], 2);
  const weight = new Matrix(width + hidden, 4 * hidden)
    .set(0, 0, ofInput.transposed())
    .set(width, 0, ofState.transposed());
  const sums = graph.matMul(entering, graph.matrix(weight));
  const [gateSums, written] = graph.split(sums, [3 * hidden, hidden], 2) as [Tensor, Tensor];
  const gates = graph.unary('Sigmoid', gateSums);
  const [input, output, forget] = graph.split(gates, [hidden, hidden, hidden], 2) as [Tensor, Tensor, Tensor];
  const value = graph.unary('Tanh', written);
  const added = graph.split(graph.mul(input, value), each, 0);
  const kept = graph.split(forget, each, 0);
  const cells = [added[0]!];
  for (let slot = 1; slot < slots; slot++)
    cells.push(graph.add(graph.mul(kept[slot]!, cells[slot - 1]!), added[slot]!));
  const shown = graph.unary('Tanh', graph.concat(cells, 0));

  // How much the cell moves the state, and each sum of a gate the cell or the state.
  const less = (tensor: Tensor): Tensor => graph.sub(graph.scalar(1), tensor);
  const cellToState = graph.split(graph.mul(output, less(graph.mul(shown, shown))), each, 0);
  const slope = graph.mul(gates, less(gates));
  const gated = graph.concat([value, shown, graph.concat([nothing, ...cells.slice(0, -1)], 0)], 2);
  const ofValue = graph.mul(input, less(graph.mul(value, value)));
  const ofSums = graph.split(graph.concat([graph.mul(gated, slope), ofValue], 2), each, 0);

  const backwards = graph.matrix(ofState);
  const gradients: Tensor[] = [];
  let state = graph.reshape(last, one);
  let cell: Tensor | undefined;
  for (let slot = slots - 1; slot >= 0; slot--) {
    const throughState = graph.mul(state, cellToState[slot]!);
    const ofCell: Tensor = cell === undefined ? throughState : graph.add(cell, throughState);
    const gradient = graph.mul(graph.concat([ofCell, state, ofCell, ofCell], 2), ofSums[slot]!);
    gradients.unshift(gradient);
    if (slot === 0) break;
    state = graph.matMul(gradient, backwards);
    cell = graph.mul(ofCell, kept[slot]!);
  }
  return graph.matMul(graph.concat(gradients, 0), graph.matrix(ofInput));
}
