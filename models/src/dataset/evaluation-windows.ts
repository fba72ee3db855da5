/** The windows of a held-out part as they were, in order and without any variation: what figures are measured on. */
import { featureCount, windowLength } from '@picket/shared/features/feature-schema';
import { labelWindow } from './label-window.ts';
import type { Dataset, FlowRows, Part, WindowSequence } from './flow-rows.ts';
import { flowContextSize } from '@picket/shared/features/flow-context';
import { writeContext } from './window-context.ts';
import type { WindowOfFlows } from './window-of-flows.ts';
import { presentFlows } from './window-mixes.ts';
import { emptyBlock, writeWindow } from './window-block.ts';
import type { WindowBlock } from './window-block.ts';

export interface EvaluationWindows extends WindowBlock {
  /** Stretch that each window is of, and its number there. */
  readonly sequences: readonly WindowSequence[];
  readonly numbers: Uint32Array;
}

/** Every labelled window of the part; of a sequence longer than `mostPerSequence`, evenly spaced ones. */
export function evaluationWindows(
  { rows, sequences }: Dataset,
  part: Part,
  mostPerSequence = 4000,
  setting: Omit<WindowOfFlows, 'window'> = {},
): EvaluationWindows {
  const chosen: { window: Int32Array; label: number; sequence: WindowSequence; number: number }[] = [];
  for (const sequence of sequences) {
    if (sequence.part !== part) continue;
    const count = sequence.windows.length / windowLength;
    const stride = Math.max(1, Math.ceil(count / mostPerSequence));
    for (let number = 0; number < count; number += stride) {
      const window = windowAt(sequence, number);
      const label = labelWindow(rows, window);
      if (label !== undefined) chosen.push({ window, label, sequence, number });
    }
  }
  const block = emptyBlock(chosen.length);
  for (const [index, { window, label }] of chosen.entries()) {
    writeWindow(rows, window, block.windows, index * windowLength * featureCount);
    block.flowsSeen[index] = presentFlows(window).length;
    block.labels[index] = label;
    writeContext(rows, { ...setting, window }, block.flowContext, index * flowContextSize);
  }
  return {
    ...block,
    sequences: chosen.map(({ sequence }) => sequence),
    numbers: Uint32Array.from(chosen, ({ number }) => number),
  };
}

export function windowAt(sequence: WindowSequence, number: number): Int32Array {
  return sequence.windows.subarray(number * windowLength, (number + 1) * windowLength);
}

/** All windows of one stretch, in order, labelled or not; labels are 0. */
export function sequenceWindows(
  rows: FlowRows,
  sequence: WindowSequence,
  setting: Omit<WindowOfFlows, 'window'> = {},
): WindowBlock {
  const block = emptyBlock(sequence.windows.length / windowLength);
  for (let number = 0; number < block.count; number++) {
    const window = windowAt(sequence, number);
    writeWindow(rows, window, block.windows, number * windowLength * featureCount);
    block.flowsSeen[number] = presentFlows(window).length;
    writeContext(rows, { ...setting, window }, block.flowContext, number * flowContextSize);
  }
  return block;
}
