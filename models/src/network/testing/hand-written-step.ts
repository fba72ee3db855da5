/**
 * The network once more, in plain loops and derived by hand: what the graphs' gradients are held against. Shares no
 * code with the graphs but the order of the parameters.
 */
import { featureCount, windowLength } from '@picket/shared/features/feature-schema';
import { flowContextSize, flowContextWidth } from '@picket/shared/features/flow-context';
import {
  attackCount,
  channels,
  classCount,
  cutParameters,
  embeddingWidth,
  firstWidth,
  headWidth,
  hidden,
  inputWidth,
  parameterCount,
  summaryWidth,
} from '../network-parameters.ts';
import { clipLimit } from '../prepare-windows.ts';
import type { Scaler } from '../prepare-windows.ts';

type Rows = Float64Array[];

const zeros = (rows: number, width: number): Rows => Array.from({ length: rows }, () => new Float64Array(width));
const sigmoid = (value: number): number => 1 / (1 + Math.exp(-value));

/** What the network sees of one window: present flows only, oldest first. */
function inputsOf(window: Float32Array, context: Float32Array, flows: number, scaler: Scaler): Rows {
  const first = windowLength - flows;
  return Array.from({ length: flows }, (_, index) => {
    const at = (first + index) * featureCount;
    const row = new Float64Array(inputWidth);
    for (let column = 1; column < featureCount; column++) {
      const value = window[at + column]!;
      const usable = value >= 0 && value <= 3.4e38 ? value : 0;
      const scaled = (Math.log(usable + 1) - scaler.mean[column]!) * scaler.scale[column]!;
      row[column] = Math.max(-clipLimit, Math.min(clipLimit, scaler.ceiling[column]!, scaled));
    }
    let same = 0;
    for (let other = 0; other < flows; other++) {
      if (window[(first + other) * featureCount] === window[at]) same += 1;
    }
    row[0] = (2 * same) / flows - 1;
    row[featureCount] = 1;
    row.set(beside(context, first, index, flows), featureCount + 1);
    return row;
  });
}

/** Age, whether it is known, pause since the flow before, share of the peer, pause since that peer's last, recent flows, how long the peer is known and how long after the device it came, direction. */
function beside(context: Float32Array, first: number, index: number, flows: number): number[] {
  const of = (flow: number, column: number): number => context[(first + flow) * flowContextWidth + column]!;
  const scaled = (seconds: number): number => (Math.log(seconds + 0.05) - 1) / 3;
  const age = of(index, 0);
  const before = index === 0 ? -1 : of(index - 1, 0);
  const peer = of(index, 1);
  const familiar = (seconds: number): number => (Math.log(seconds + 1) - 3.2) / 3.2;
  const [peerFor, deviceFor] = [of(index, 5), of(index, 6)];
  const known = Array.from({ length: flows }, (_, flow) => of(flow, 1)).filter((other) => other >= 0);
  const pauses = Array.from({ length: flows }, (_, flow) => flow)
    .filter((flow) => flow !== index && of(flow, 1) === peer && of(flow, 0) >= age)
    .map((flow) => of(flow, 0) - age);
  return [
    age < 0 ? 0 : scaled(age),
    age < 0 ? 0 : 1,
    age < 0 || before < 0 ? 0 : scaled(Math.abs(before - age)),
    peer < 0 ? 0 : (2 * known.filter((other) => other === peer).length) / known.length - 1,
    age < 0 || peer < 0 ? 0 : scaled(Math.min(7200, ...pauses)),
    ...[3, 4].map((column) => (of(index, column) < 0 ? 0 : (Math.log(of(index, column) + 1) - 2) / 2)),
    peerFor < 0 ? 0 : familiar(Math.min(600, peerFor)),
    peerFor < 0 || deviceFor < 0 ? 0 : familiar(Math.min(120, Math.max(0, deviceFor - peerFor))),
    ...[0, 1, 2].map((way) => (of(index, 2) === way ? 1 : 0)),
  ];
}

/** `into[b] += Σ_a left[a] · weight[a, b]`. */
function times(left: Float64Array, weight: Float32Array, into: Float64Array): void {
  const width = into.length;
  for (const [a, value] of left.entries()) for (let b = 0; b < width; b++) into[b]! += value * weight[a * width + b]!;
}

/** Gradients of `times`: of the weight (added up) and of the left side (added up). */
function timesBack(
  left: Float64Array,
  weight: Float32Array,
  gradient: Float64Array,
  ofWeight: Float64Array,
  ofLeft?: Float64Array,
): void {
  const width = gradient.length;
  for (const [a, value] of left.entries()) {
    for (let b = 0; b < width; b++) {
      ofWeight[a * width + b]! += value * gradient[b]!;
      if (ofLeft !== undefined) ofLeft[a]! += gradient[b]! * weight[a * width + b]!;
    }
  }
}

const plus = (values: Float64Array, bias: ArrayLike<number>): Float64Array =>
  values.map((value, at) => value + bias[at]!);
const addTo = (sum: Float64Array, values: Float64Array): void => values.forEach((value, at) => (sum[at]! += value));

/** Loss and gradient of the whole batch, as `train` has them: mean over the weight of the targets. */
export function handWrittenStep(
  batch: {
    windows: Float32Array;
    flowsSeen: Float32Array;
    flowContext: Float32Array;
    targets: Float32Array;
    flowTargets: Float32Array;
    keep: Float32Array;
  },
  scaler: Scaler,
  flat: Float32Array,
): { readonly loss: number; readonly gradient: Float64Array } {
  const p = cutParameters(flat);
  const gradient = new Float64Array(parameterCount);
  const g = cutDoubles(gradient, flat);
  const weight = batch.targets.reduce((sum, value) => sum + value, 0);
  const flowWeight = batch.flowTargets.reduce((sum, value) => sum + value, 1e-6);
  let loss = 0;
  for (const [at, flows] of batch.flowsSeen.entries()) {
    const size = windowLength * featureCount;
    const context = batch.flowContext.subarray(at * flowContextSize, (at + 1) * flowContextSize);
    const inputs = inputsOf(batch.windows.subarray(at * size, (at + 1) * size), context, flows, scaler);
    const targets = batch.targets.subarray(at * classCount, (at + 1) * classCount);
    const keep = batch.keep.subarray(at * summaryWidth, (at + 1) * summaryWidth);

    // Forward.
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
    const pooled = (value: (e: number) => number): number[] =>
      Array.from({ length: embeddingWidth }, (_, e) => value(e));
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
    loss -= targets.reduce((sum, target, k) => sum + target * Math.log(probabilities[k]!), 0) / weight;
    const ofFlow = (t: number): Float32Array => {
      const slot = at * windowLength + windowLength - flows + t;
      return batch.flowTargets.subarray(slot * classCount, (slot + 1) * classCount);
    };
    for (const [t, row] of judged.entries())
      loss -= ofFlow(t).reduce((sum, target, k) => sum + target * Math.log(row[k]!), 0) / flowWeight;

    // Backward.
    const total = targets.reduce((sum, target) => sum + target, 0);
    const dLogits = Float64Array.from(targets, (target, k) => (total * probabilities[k]! - target) / weight);
    addTo(g.classBias, dLogits);
    const dHead = new Float64Array(headWidth);
    timesBack(head, p.classWeight, dLogits, g.classWeight, dHead);
    const dHeadSum = dHead.map((value, unit) => (head[unit]! > 0 ? value : 0));
    addTo(g.headBias, dHeadSum);
    const dKept = new Float64Array(summaryWidth);
    timesBack(summary, p.headWeight, dHeadSum, g.headWeight, dKept);
    const dSummary = dKept.map((value, s) => value * keep[s]!);
    const [dLargest, dMean, dAttended] = [0, 1, 2].map((part) =>
      dSummary.subarray(hidden + part * embeddingWidth, hidden + (part + 1) * embeddingWidth),
    ) as [Float64Array, Float64Array, Float64Array];

    const dEmbedded = zeros(flows, embeddingWidth);
    const dConvolvedOf = zeros(flows, channels);
    const [dWorst, dUsual] = [0, 1].map((part) =>
      dSummary.subarray(hidden + 3 * embeddingWidth + part * attackCount).subarray(0, attackCount),
    ) as [Float64Array, Float64Array];
    for (const [t, row] of judged.entries()) {
      const targetsOf = ofFlow(t);
      const sumOf = targetsOf.reduce((sum, target) => sum + target, 0);
      const dShare = row.map((share, k) =>
        k === 0 ? 0 : dUsual[k - 1]! / flows + (share === worst[k - 1] ? dWorst[k - 1]! : 0),
      );
      const meanShare = dShare.reduce((sum, value, k) => sum + value * row[k]!, 0);
      const dFlow = Float64Array.from(row, (share, k) => {
        const ofLoss = (sumOf * share - targetsOf[k]!) / flowWeight;
        return share * (dShare[k]! - meanShare) + ofLoss;
      });
      addTo(g.flowBias, dFlow);
      const dJudged = new Float64Array(embeddingWidth + channels);
      timesBack(judgedOf[t]!, p.flowWeight, dFlow, g.flowWeight, dJudged);
      addTo(dEmbedded[t]!, dJudged.subarray(0, embeddingWidth));
      addTo(dConvolvedOf[t]!, dJudged.subarray(embeddingWidth));
    }
    const dAttention = embedded.map((row) => row.reduce((sum, value, e) => sum + value * dAttended[e]!, 0));
    const meanAttention = dAttention.reduce((sum, value, t) => sum + value * attention[t]!, 0);
    for (const [t, row] of embedded.entries()) {
      const dScore = attention[t]! * (dAttention[t]! - meanAttention);
      for (let e = 0; e < embeddingWidth; e++) {
        dEmbedded[t]![e]! += dMean[e]! / flows + dAttended[e]! * attention[t]! + dScore * p.attentionWeight[e]!;
        if (row[e] === largest[e]) dEmbedded[t]![e]! += dLargest[e]!;
        g.attentionWeight[e]! += dScore * row[e]!;
      }
    }
    let dState = dSummary.slice(0, hidden);
    let dCell = new Float64Array(hidden);
    const dBeside = zeros(flows, 3 * embeddingWidth);
    for (let t = flows - 1; t >= 0; t--) {
      const gate = gates[t]!;
      const dGate = new Float64Array(4 * hidden);
      const dBefore = new Float64Array(hidden);
      for (let unit = 0; unit < hidden; unit++) {
        const [i, o, f, c] = [0, 1, 2, 3].map((which) => gate[which * hidden + unit]!) as [
          number,
          number,
          number,
          number,
        ];
        const squashed = Math.tanh(cells[t + 1]![unit]!);
        const d = dCell[unit]! + dState[unit]! * o * (1 - squashed * squashed);
        dGate[unit] = d * c * i * (1 - i);
        dGate[hidden + unit] = dState[unit]! * squashed * o * (1 - o);
        dGate[2 * hidden + unit] = d * cells[t]![unit]! * f * (1 - f);
        dGate[3 * hidden + unit] = d * i * (1 - c * c);
        dBefore[unit] = d * f;
      }
      dCell = dBefore;
      dState = new Float64Array(hidden);
      const dConvolved = dConvolvedOf[t]!;
      addTo(g.lstmBias, dGate);
      timesBack(convolved[t]!, p.lstmInput, dGate, g.lstmInput, dConvolved);
      timesBack(states[t]!, p.lstmRecurrent, dGate, g.lstmRecurrent, dState);
      const dSum = dConvolved.map((value, c) => (convolved[t]![c]! > 0 ? value : 0));
      addTo(g.convBias, dSum);
      timesBack(neighbours[t]!, p.convWeight, dSum, g.convWeight, dBeside[t]);
    }
    for (const [t, row] of dBeside.entries()) {
      for (const [tap, neighbour] of [t - 1, t, t + 1].entries()) {
        const into = dEmbedded[neighbour];
        if (into !== undefined) addTo(into, row.subarray(tap * embeddingWidth, (tap + 1) * embeddingWidth));
      }
    }
    for (const [t, row] of dEmbedded.entries()) {
      const dSum = row.map((value, e) => (embedded[t]![e]! > 0 ? value : 0));
      addTo(g.embeddingBias, dSum);
      const dFirst = new Float64Array(firstWidth);
      timesBack(firsts[t]!, p.embeddingWeight, dSum, g.embeddingWeight, dFirst);
      const dFirstSum = dFirst.map((value, e) => (firsts[t]![e]! > 0 ? value : 0));
      addTo(g.firstBias, dFirstSum);
      timesBack(inputs[t]!, p.firstWeight, dFirstSum, g.firstWeight);
    }
  }
  return { loss, gradient };
}

function softmax(logits: readonly number[]): number[] {
  const largest = Math.max(...logits);
  const exponentials = logits.map((logit) => Math.exp(logit - largest));
  const total = exponentials.reduce((sum, value) => sum + value, 0);
  return exponentials.map((value) => value / total);
}

/** Views into the gradient where `cutParameters` has views into the parameters. */
function cutDoubles(
  gradient: Float64Array,
  flat: Float32Array,
): Record<keyof ReturnType<typeof cutParameters>, Float64Array> {
  const views = Object.entries(cutParameters(flat)).map(([name, view]) => {
    const start = (view.byteOffset - flat.byteOffset) / 4;
    return [name, gradient.subarray(start, start + view.length)];
  });
  return Object.fromEntries(views) as ReturnType<typeof cutDoubles>;
}
