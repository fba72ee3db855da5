/** Windows as the graphs take them: many at once, features and context and truth side by side. */
import { featureCount, windowLength } from '@picket/shared/features/feature-schema';
import { flowContextSize, unknownFlowContext } from '@picket/shared/features/flow-context';
import type { FlowRows } from './flow-rows.ts';
import { writeContext } from './window-context.ts';
import type { WindowOfFlows } from './window-of-flows.ts';
import { presentFlows } from './window-mixes.ts';

export interface WindowBlock {
  readonly count: number;
  /** count × 10 × 78 */
  readonly windows: Float32Array<ArrayBuffer>;
  /** As the graphs take it. */
  readonly flowsSeen: Float32Array<ArrayBuffer>;
  readonly labels: Uint8Array<ArrayBuffer>;
  /** count × 10 × 7, as the graphs take it. */
  readonly flowContext: Float32Array<ArrayBuffer>;
  /** count × 10, the class of each flow; `noFlow` in empty slots. */
  readonly flowLabels: Uint8Array<ArrayBuffer>;
}

export const noFlow = 255;

export function emptyBlock(count: number): WindowBlock {
  return {
    count,
    windows: new Float32Array(count * windowLength * featureCount),
    flowsSeen: new Float32Array(count),
    labels: new Uint8Array(count),
    flowContext: unknownFlowContext(count),
    flowLabels: new Uint8Array(count * windowLength).fill(noFlow),
  };
}

/** These windows as they are, all with one label. */
export function blockOf(rows: FlowRows, mixes: readonly (Int32Array | WindowOfFlows)[], label: number): WindowBlock {
  const block = emptyBlock(mixes.length);
  for (const [index, mix] of mixes.entries()) {
    const window = mix instanceof Int32Array ? mix : mix.window;
    writeContext(rows, mix instanceof Int32Array ? { window } : mix, block.flowContext, index * flowContextSize);
    writeWindow(rows, window, block.windows, index * windowLength * featureCount);
    block.flowsSeen[index] = presentFlows(window).length;
    block.labels[index] = label;
  }
  return block;
}

/** One after the other. */
export function joinedBlocks(blocks: readonly WindowBlock[]): WindowBlock {
  const whole = emptyBlock(blocks.reduce((sum, { count }) => sum + count, 0));
  let at = 0;
  for (const block of blocks) {
    whole.windows.set(block.windows, at * windowLength * featureCount);
    whole.flowsSeen.set(block.flowsSeen, at);
    whole.labels.set(block.labels, at);
    whole.flowContext.set(block.flowContext, at * flowContextSize);
    whole.flowLabels.set(block.flowLabels, at * windowLength);
    at += block.count;
  }
  return whole;
}

/** What each flow is on its own; nothing of what an attack left behind. */
export function writeFlowLabels(rows: FlowRows, window: Int32Array, block: WindowBlock, index: number): void {
  for (const [slot, number] of window.entries()) {
    if (number >= 0 && rows.residues[number] === 0)
      block.flowLabels[index * windowLength + slot] = rows.classes[number]!;
  }
}

/** Copies the window's features to `to`; empty slots are left as they are. */
export function writeWindow(rows: FlowRows, window: Int32Array, to: Float32Array, offset: number): void {
  for (const [slot, number] of window.entries()) {
    if (number >= 0) to.set(rows.row(number), offset + slot * featureCount);
  }
}
