/** Whatever gives each window its class probabilities: the network, or what it must beat. */
import { featureCount, windowLength } from '@picket/shared/features/feature-schema';
import { classCount } from '../network/network-parameters.ts';
import type { ScorableWindows } from '../network/scorer.ts';

export interface Predictor {
  readonly name: string;
  /** Probabilities, count × classes; the first is benign. */
  readonly score: (windows: ScorableWindows) => Float32Array | Promise<Float32Array>;
}

/** Knows one flow at a time. */
export interface FlowClassifier {
  readonly name: string;
  /** Class probabilities of the flow whose 78 features begin at `offset`. */
  readonly classify: (features: Float32Array, offset: number) => ArrayLike<number>;
}

/** The mean of what a classifier says of each present flow. */
export function averaged(classifier: FlowClassifier): Predictor {
  return {
    name: `${classifier.name}, averaged over the window`,
    score: (windows) => {
      const result = new Float32Array(windows.count * classCount);
      for (let window = 0; window < windows.count; window++) {
        const flows = windows.flowsSeen[window]!;
        for (let slot = windowLength - flows; slot < windowLength; slot++) {
          const row = classifier.classify(windows.windows, (window * windowLength + slot) * featureCount);
          for (let index = 0; index < classCount; index++) result[window * classCount + index]! += row[index]! / flows;
        }
      }
      return result;
    },
  };
}

/** What a classifier says of the newest flow alone. */
export function newestOnly(classifier: FlowClassifier): Predictor {
  return {
    name: `${classifier.name}, newest flow alone`,
    score: (windows) => {
      const result = new Float32Array(windows.count * classCount);
      for (let window = 0; window < windows.count; window++) {
        const newest = ((window + 1) * windowLength - 1) * featureCount;
        result.set(Float32Array.from(classifier.classify(windows.windows, newest)), window * classCount);
      }
      return result;
    },
  };
}
