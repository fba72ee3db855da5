/**
 * How the memory that the configuration allows is shared out between the parts that grow with traffic, and how V8 is
 * told to keep its heaps small: left alone it sizes them by the machine, which on a gateway belongs to others.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { MemoryWatch } from './health/memory-watch.ts';
import type { ResourceLimits } from 'node:worker_threads';

export interface MemoryPlan {
  /** Flows that may be open at once. */
  readonly flowCapacity: number;
  /** Batches of flows that may be under way between the packet thread and the main thread. */
  readonly batchesUnderWay: number;
  /** The same of a file, which can wait. */
  readonly batchesOfFile: number;
}

/**
 * What the programs need before the first packet, what the other bounded tables reach when a flood fills them (devices
 * and their windows, batches, the outbox's page cache), and room for garbage that is not collected yet. Measured with
 * `npm run bench -- syn-flood`.
 */
const fixedMib = 234;
/** Record, key, index, queues and timer of one open flow. */
export const bytesPerFlow = 600;
/** Of the whole agent, where nothing else is configured. */
export const defaultMaxMib = 256;
const flowsAtLeast = 4096;
const flowsAtMost = 1_048_576;

/** `flowCapacity`: null takes what the bound leaves. */
export function memoryPlanOf(maxMib: number, flowCapacity: number | null): MemoryPlan {
  const left = Math.floor(((maxMib - fixedMib) * 1_048_576) / bytesPerFlow / 1024) * 1024;
  return {
    flowCapacity: flowCapacity ?? Math.min(flowsAtMost, Math.max(flowsAtLeast, left)),
    batchesUnderWay: 32,
    batchesOfFile: 8,
  };
}

/** Of each worker thread. Beyond it V8 ends the thread, so it stands far above what a thread was ever seen to use. */
export const workerHeap: ResourceLimits = { maxOldGenerationSizeMb: 96, maxYoungGenerationSizeMb: 6 };

/**
 * For the whole process, threads that start later included. By default the young generation of each thread may grow to
 * 128 MiB, and the old one to a multiple of what lives in it.
 */
export function keepHeapsSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--optimize-for-size');
  // By default six compilers may run at once, some MiB each, which the C heap keeps in pieces.
  setFlagsFromString('--concurrent-turbofan-max-threads=1');
  setFlagsFromString('--concurrent-maglev-max-threads=1');
  collectGarbage(true); // the imports have let the heap grow; this gives back what they no longer need
}

/** Of this process, until it is disposed of. */
export function watchMemory(maxMib: number, log: (text: string) => void): MemoryWatch {
  return MemoryWatch.start({
    maxBytes: maxMib * 1_048_576,
    residentBytes: () => process.memoryUsage.rss(),
    collectGarbage: () => collectGarbage(),
    log,
  });
}

/** A full collection; `thoroughly` gives back all that can be, and takes a tenth of a second and more. */
export function collectGarbage(thoroughly = false): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (options: object) => void;
  collect(thoroughly ? { flavor: 'last-resort' } : { type: 'major', execution: 'sync' });
}
