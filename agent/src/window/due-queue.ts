/**
 * Windows that wait to be scored, in one block of memory: a window is copied into its row when it is due, and out of it
 * when a batch is taken. Bounded; the oldest is given up for the newest and counted.
 */
import { flowContextSize, unknownFlowContext } from '@picket/shared/features/flow-context';
import { featureCount, windowLength } from '@picket/shared/features/feature-schema';
import type { WindowBatch } from '../detection/detector.ts';
import type { DeviceWindow } from './device-window.ts';
import type { WindowContext } from './window-context.ts';
import { writeContextOf } from './flow-context.ts';

/** `contexts[i]` belongs to window i of the batch. */
export interface DueWindows {
  readonly batch: WindowBatch;
  readonly contexts: readonly WindowContext[];
}

const windowSize = windowLength * featureCount;
const rowsAtFirst = 64;

export class DueQueue {
  readonly #most: number;
  /** A ring of rows; row i belongs to context i. */
  #features = new Float32Array(0);
  #contexts: (WindowContext | undefined)[] = [];
  #lent = new Float32Array(0);
  #first = 0;
  #waiting = 0;
  #dropped = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** Windows that were given up because nobody took them in time. */
  get dropped(): number {
    return this.#dropped;
  }

  add(window: DeviceWindow, context: WindowContext): void {
    if (this.#waiting === this.#contexts.length) this.#makeRoom();
    const row = (this.#first + this.#waiting++) % this.#contexts.length;
    window.copyFeatures(this.#features, row * windowSize);
    this.#contexts[row] = context;
  }

  /** Up to `limit` windows, oldest first; undefined when none waits. The batch is lent: the next one overwrites it. */
  take(limit: number): DueWindows | undefined {
    const count = Math.min(limit, this.#waiting);
    if (count === 0) return undefined;
    if (this.#lent.length < count * windowSize) this.#lent = new Float32Array(count * windowSize);
    const windows = this.#lent.subarray(0, count * windowSize);
    const flowsSeen = new Uint8Array(count);
    const flowContext = unknownFlowContext(count);
    const contexts: WindowContext[] = [];
    for (let index = 0; index < count; index++) {
      const row = this.#first;
      const context = this.#contexts[row]!;
      windows.set(this.#features.subarray(row * windowSize, (row + 1) * windowSize), index * windowSize);
      flowsSeen[index] = context.flowsSeen;
      writeContextOf(context, flowContext, index * flowContextSize);
      contexts.push(context);
      this.#contexts[row] = undefined;
      this.#first = (row + 1) % this.#contexts.length;
    }
    this.#waiting -= count;
    return { batch: { count, windows, flowsSeen, flowContext }, contexts };
  }

  /** Every row is taken: twice as many, or without the oldest window. */
  #makeRoom(): void {
    const rows = this.#contexts.length;
    if (rows === this.#most) {
      this.#dropped += 1;
      this.#waiting -= 1;
      this.#first = (this.#first + 1) % rows;
      return;
    }
    const more = Math.min(this.#most, Math.max(rowsAtFirst, rows * 2));
    const features = new Float32Array(more * windowSize);
    const contexts = Array.from({ length: more }, (_, index) =>
      index < rows ? this.#contexts[(this.#first + index) % rows] : undefined,
    );
    features.set(this.#features.subarray(this.#first * windowSize), 0);
    features.set(this.#features.subarray(0, this.#first * windowSize), (rows - this.#first) * windowSize);
    this.#features = features;
    this.#contexts = contexts;
    this.#first = 0;
  }
}
