/** The network in plain loops: everything that it makes of one window on the way to its probabilities. */
import { attackCount, embeddingWidth, headWidth, hidden, classCount } from '../network-parameters.ts';
import type { cutParameters } from '../network-parameters.ts';
import { plus, sigmoid, softmax, times } from './plain-matrices.ts';
import type { Rows } from './plain-matrices.ts';

export interface HandWrittenForward {
  /** Of each flow. */
  readonly firsts: Rows;
  readonly embedded: Rows;
  /** Each flow's embedding between those of its neighbours. */
  readonly neighbours: Rows;
  readonly convolved: Rows;
  readonly judgedOf: Rows;
  readonly judged: readonly number[][];
  /** Of the LSTM: one more than there are flows, the first all zeros. */
  readonly states: Rows;
  readonly cells: Rows;
  readonly gates: Rows;
  readonly attention: readonly number[];
  /** Over the flows. */
  readonly largest: readonly number[];
  readonly worst: readonly number[];
  readonly summary: Float64Array;
  readonly head: Float64Array;
  readonly probabilities: readonly number[];
}

/** `inputs`: present flows, oldest first. `keep`: dropout of the summary. */
export function forwardByHand(
  inputs: Rows,
  keep: Float32Array,
  p: ReturnType<typeof cutParameters>,
): HandWrittenForward {
  const flows = inputs.length;
  const firsts = inputs.map((row) => {
    const sum = Float64Array.from(p.firstBias);
    times(row, p.firstWeight, sum);
    return sum.map((value) => Math.max(0, value));
  });
  const embedded = firsts.map((row) => {
    const sum = Float64Array.from(p.embeddingBias);
    times(row, p.embeddingWeight, sum);
    return sum.map((value) => Math.max(0, value));
  });
  const nothing = new Float64Array(embeddingWidth);
  const neighbours = embedded.map((row, t) =>
    Float64Array.from([...(embedded[t - 1] ?? nothing), ...row, ...(embedded[t + 1] ?? nothing)]),
  );
  const convolved = neighbours.map((row) => {
    const sum = Float64Array.from(p.convBias);
    times(row, p.convWeight, sum);
    return sum.map((value) => Math.max(0, value));
  });
  const judgedOf = convolved.map((row, t) => Float64Array.from([...embedded[t]!, ...row]));
  const judged = judgedOf.map((row) => {
    const sum = Float64Array.from(p.flowBias);
    times(row, p.flowWeight, sum);
    return softmax([...sum]);
  });
  const states = [new Float64Array(hidden)];
  const cells = [new Float64Array(hidden)];
  const gates = convolved.map((row, t) => {
    const sum = Float64Array.from(p.lstmBias);
    times(row, p.lstmInput, sum);
    times(states[t]!, p.lstmRecurrent, sum);
    const gate = sum.map((value, unit) => (unit < 3 * hidden ? sigmoid(value) : Math.tanh(value)));
    const cell = cells[t]!.map(
      (value, unit) => gate[2 * hidden + unit]! * value + gate[unit]! * gate[3 * hidden + unit]!,
    );
    cells.push(cell);
    states.push(cell.map((value, unit) => gate[hidden + unit]! * Math.tanh(value)));
    return gate;
  });
  const attention = softmax(
    embedded.map((row) => row.reduce((sum, value, e) => sum + value * p.attentionWeight[e]!, 0)),
  );
  const pooled = (value: (e: number) => number): number[] => Array.from({ length: embeddingWidth }, (_, e) => value(e));
  const largest = pooled((e) => Math.max(...embedded.map((row) => row[e]!)));
  const mean = pooled((e) => embedded.reduce((sum, row) => sum + row[e]! / flows, 0));
  const attended = pooled((e) => embedded.reduce((sum, row, t) => sum + row[e]! * attention[t]!, 0));
  const kinds = Array.from({ length: attackCount }, (_, kind) => judged.map((row) => row[kind + 1]!));
  const worst = kinds.map((shares) => Math.max(...shares));
  const usual = kinds.map((shares) => shares.reduce((sum, share) => sum + share, 0) / flows);
  const parts = [...states.at(-1)!, ...largest, ...mean, ...attended, ...worst, ...usual];
  const summary = Float64Array.from(parts).map((value, s) => value * keep[s]!);
  const headSum = new Float64Array(headWidth);
  times(summary, p.headWeight, headSum);
  const head = plus(headSum, p.headBias).map((value) => Math.max(0, value));
  const logitSum = new Float64Array(classCount);
  times(head, p.classWeight, logitSum);
  const probabilities = softmax([...plus(logitSum, p.classBias)]);
  return {
    firsts,
    embedded,
    neighbours,
    convolved,
    judgedOf,
    judged,
    states,
    cells,
    gates,
    attention,
    largest,
    worst,
    summary,
    head,
    probabilities,
  };
}
