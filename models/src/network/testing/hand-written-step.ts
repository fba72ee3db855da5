/**
 * The network once more, in plain loops and derived by hand: what the graphs' gradients are held against. Shares no
 * code with the graphs but the order of the parameters.
 */
import { featureCount, windowLength } from '@picket/shared/features/feature-schema';
import { flowContextSize } from '@picket/shared/features/flow-context';
import {
  attackCount,
  channels,
  classCount,
  cutParameters,
  embeddingWidth,
  firstWidth,
  headWidth,
  hidden,
  parameterCount,
  summaryWidth,
} from '../network-parameters.ts';
import type { Scaler } from '../prepare-windows.ts';
import { forwardByHand } from './hand-written-forward.ts';
import { inputsOf } from './hand-written-inputs.ts';
import { addTo, timesBack, zeros } from './plain-matrices.ts';

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

    const {
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
    } = forwardByHand(inputs, keep, p);
    loss -= targets.reduce((sum, target, k) => sum + target * Math.log(probabilities[k]!), 0) / weight;
    const ofFlow = (t: number): Float32Array => {
      const slot = at * windowLength + windowLength - flows + t;
      return batch.flowTargets.subarray(slot * classCount, (slot + 1) * classCount);
    };
    for (const [t, row] of judged.entries())
      loss -= ofFlow(t).reduce((sum, target, k) => sum + target * Math.log(row[k]!), 0) / flowWeight;

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
