/** Every window of a part with what a predictor says of it: all other figures start from here. */
import { windowLength } from '@picket/shared/features/feature-schema';
import { sequenceWindows, windowAt } from '../dataset/evaluation-windows.ts';
import { labelWindow } from '../dataset/label-window.ts';
import type { Dataset, Part, WindowSequence } from '../dataset/flow-rows.ts';
import type { WindowOfFlows } from '../dataset/window-of-flows.ts';
import { classCount } from '../network/network-parameters.ts';
import { likeliestAttack, type ScoredSequence } from './alarms.ts';
import { JudgedFlows } from './judged-flows.ts';
import type { Predictor } from './predictor.ts';

export async function scoreSequences(
  { rows, sequences }: Dataset,
  predictor: Predictor,
  wanted: (sequence: WindowSequence) => boolean,
  setting: Omit<WindowOfFlows, 'window'> = {},
): Promise<ScoredSequence[]> {
  const scored: ScoredSequence[] = [];
  for (const sequence of sequences) {
    if (!wanted(sequence)) continue;
    const probabilities =
      predictor.scoreSequence?.(rows, sequence) ?? (await predictor.score(sequenceWindows(rows, sequence, setting)));
    scored.push({ sequence, probabilities });
  }
  return scored;
}

/** One window whose truth is known. */
export interface JudgedWindow {
  readonly sequence: WindowSequence;
  readonly label: number;
  readonly score: number;
  /** The likeliest attack where the score reaches the threshold, else benign: as the agent names it. */
  readonly predicted: number;
}

/** Windows in which an attack is too faint to be asked for are left out. */
export function judgedWindows({ rows }: Dataset, scored: readonly ScoredSequence[], threshold: number): JudgedWindow[] {
  const judged = new JudgedFlows(rows);
  return scored.flatMap(({ sequence, probabilities }) =>
    Array.from({ length: sequence.windows.length / windowLength }, (_, number): JudgedWindow | undefined => {
      const window = windowAt(sequence, number);
      const label = labelWindow(rows, window);
      if (label === undefined) return undefined;
      const row = probabilities.subarray(number * classCount, (number + 1) * classCount);
      const score = 1 - row[0]!;
      return {
        sequence,
        label,
        score,
        predicted: score < threshold ? 0 : likeliestAttack(row, sequence.device, judged.of(window)),
      };
    }).filter((window) => window !== undefined),
  );
}

export function isOfPart(part: Part): (sequence: WindowSequence) => boolean {
  return (sequence) => sequence.part === part;
}
