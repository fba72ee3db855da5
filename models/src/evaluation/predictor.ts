/** Whatever gives each window its class probabilities: the network, or what it must beat. */
import { featureCount, windowLength } from '@picket/shared/features/feature-schema';
import { windowAt } from '../dataset/evaluation-windows.ts';
import { labelWindow } from '../dataset/label-window.ts';
import type { FlowRows, WindowSequence } from '../dataset/flow-rows.ts';
import { classCount } from '../network/network-parameters.ts';
import type { ScorableWindows } from '../network/scorer.ts';

export interface Predictor {
  readonly name: string;
  /** Probabilities, count × classes; the first is benign. */
  readonly score: (windows: ScorableWindows) => Float32Array | Promise<Float32Array>;
  /** The same for all windows of a stretch, where that can be had for less than by copying their flows. */
  readonly scoreSequence?: (rows: FlowRows, sequence: WindowSequence) => Float32Array;
}

/** The label of each window, of which only stretches know enough; a window too faint to be asked for counts as benign. */
export const truth: Predictor = {
  name: 'truth',
  score: () => {
    throw new Error('the truth is known of stretches of traffic only');
  },
  scoreSequence: (rows, sequence) => {
    const count = sequence.windows.length / windowLength;
    const result = new Float32Array(count * classCount);
    for (let number = 0; number < count; number++) {
      result[number * classCount + (labelWindow(rows, windowAt(sequence, number)) ?? 0)] = 1;
    }
    return result;
  },
};

/** Knows one flow at a time. */
export interface FlowClassifier {
  readonly name: string;
  /** Class probabilities of the flow whose 78 features begin at `offset`. */
  readonly classify: (features: Float32Array, offset: number) => ArrayLike<number>;
}

/** The mean of what a classifier says of each present flow. */
export function averaged(classifier: FlowClassifier): Predictor {
  return combined(`${classifier.name}, averaged over the window`, classifier, 0);
}

/** What a classifier says of the newest flow alone. */
export function newestOnly(classifier: FlowClassifier): Predictor {
  return combined(`${classifier.name}, newest flow alone`, classifier, windowLength - 1);
}

/** The mean over the slots from `firstSlot` on. Neighbouring windows share their flows, so each flow is judged once. */
function combined(name: string, classifier: FlowClassifier, firstSlot: number): Predictor {
  return {
    name,
    score: ({ count, windows, flowsSeen }) => {
      const result = new Float32Array(count * classCount);
      for (let window = 0; window < count; window++) {
        const from = Math.max(firstSlot, windowLength - flowsSeen[window]!);
        for (let slot = from; slot < windowLength; slot++) {
          const row = classifier.classify(windows, (window * windowLength + slot) * featureCount);
          addShare(result, window, row, windowLength - from);
        }
      }
      return result;
    },
    scoreSequence: (rows, sequence) => {
      const known = new Map<number, ArrayLike<number>>();
      const count = sequence.windows.length / windowLength;
      const result = new Float32Array(count * classCount);
      for (let window = 0; window < count; window++) {
        const present = sequence.windows
          .subarray(window * windowLength + firstSlot, (window + 1) * windowLength)
          .filter((row) => row >= 0);
        for (const row of present) {
          const judged = known.get(row) ?? Float32Array.from(classifier.classify(rows.features, row * featureCount));
          known.set(row, judged);
          addShare(result, window, judged, present.length);
        }
      }
      return result;
    },
  };
}

function addShare(result: Float32Array, window: number, row: ArrayLike<number>, of: number): void {
  for (let index = 0; index < classCount; index++) result[window * classCount + index]! += row[index]! / of;
}
