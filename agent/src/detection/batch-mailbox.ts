/**
 * One batch of windows in memory that two threads share. A batch is most of a megabyte: sent as a message it would be
 * allocated anew on both sides for each call, and lie there until garbage is collected.
 */
import { flowContextSize } from '@picket/shared/features/flow-context';
import { featureCount, windowLength } from '@picket/shared/features/feature-schema';
import { maxBatchWindows, type WindowBatch } from './detector.ts';

/** What crosses to the other thread, once. */
export interface MailboxBuffers {
  readonly windows: SharedArrayBuffer;
  readonly flowsSeen: SharedArrayBuffer;
  readonly flowContext: SharedArrayBuffer;
}

const windowSize = windowLength * featureCount;

export class BatchMailbox {
  readonly buffers: MailboxBuffers;
  readonly #windows: Float32Array<SharedArrayBuffer>;
  readonly #flowsSeen: Uint8Array<SharedArrayBuffer>;
  readonly #flowContext: Float32Array<SharedArrayBuffer>;

  /** Of the other thread, or new. */
  constructor(
    buffers: MailboxBuffers = {
      windows: new SharedArrayBuffer(maxBatchWindows * windowSize * 4),
      flowsSeen: new SharedArrayBuffer(maxBatchWindows),
      flowContext: new SharedArrayBuffer(maxBatchWindows * flowContextSize * 4),
    },
  ) {
    this.buffers = buffers;
    this.#windows = new Float32Array(buffers.windows);
    this.#flowsSeen = new Uint8Array(buffers.flowsSeen);
    this.#flowContext = new Float32Array(buffers.flowContext);
  }

  /** What lay there is overwritten. */
  put({ count, windows, flowsSeen, flowContext }: WindowBatch): void {
    if (count > maxBatchWindows) throw new RangeError(`a batch of ${count} windows, ${maxBatchWindows} are the most`);
    this.#windows.set(windows.subarray(0, count * windowSize));
    this.#flowsSeen.set(flowsSeen.subarray(0, count));
    this.#flowContext.set(flowContext.subarray(0, count * flowContextSize));
  }

  /** The first `count` windows, copied into `to`, whose columns are at least as long. */
  take(count: number, to: WindowBatch): WindowBatch {
    to.windows.set(this.#windows.subarray(0, count * windowSize));
    to.flowsSeen.set(this.#flowsSeen.subarray(0, count));
    to.flowContext.set(this.#flowContext.subarray(0, count * flowContextSize));
    return { ...to, count };
  }
}

/** Room for the largest batch. */
export function emptyBatch(): WindowBatch {
  return {
    count: 0,
    windows: new Float32Array(maxBatchWindows * windowSize),
    flowsSeen: new Uint8Array(maxBatchWindows),
    flowContext: new Float32Array(maxBatchWindows * flowContextSize),
  };
}
