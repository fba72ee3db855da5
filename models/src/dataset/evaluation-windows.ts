/** The windows of a held-out part as they were, in order and without any augmentation: what figures are measured on. */
import { featureCount, windowLength } from '@picket/shared/features/feature-schema';
import { labelWindow } from './flow-rows.ts';
import type { Dataset, Part } from './flow-rows.ts';
import { presentFlows, writeWindow } from './window-sampler.ts';
import type { WindowBlock } from './window-sampler.ts';

export interface EvaluationWindows extends WindowBlock {
  /** `source group` of each window. */
  readonly groups: readonly string[];
}

/** Every labelled window of the part; of a sequence longer than `mostPerSequence`, evenly spaced ones. */
export function evaluationWindows({ rows, sequences }: Dataset, part: Part, mostPerSequence = 4000): EvaluationWindows {
  const chosen: { window: Int32Array; label: number; group: string }[] = [];
  for (const sequence of sequences) {
    if (sequence.part !== part) continue;
    const count = sequence.windows.length / windowLength;
    const stride = Math.max(1, Math.ceil(count / mostPerSequence));
    for (let index = 0; index < count; index += stride) {
      const window = sequence.windows.subarray(index * windowLength, (index + 1) * windowLength);
      const label = labelWindow(rows, window);
      if (label !== undefined) chosen.push({ window, label, group: `${sequence.source} ${sequence.group}` });
    }
  }
  const windows = new Float32Array(chosen.length * windowLength * featureCount);
  for (const [index, { window }] of chosen.entries()) {
    writeWindow(rows, window, windows, index * windowLength * featureCount);
  }
  return {
    count: chosen.length,
    windows,
    flowsSeen: Float32Array.from(chosen, ({ window }) => presentFlows(window).length),
    labels: Uint8Array.from(chosen, ({ label }) => label),
    groups: chosen.map(({ group }) => group),
  };
}
