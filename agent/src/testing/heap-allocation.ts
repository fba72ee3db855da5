/** How many bytes of JavaScript objects some work allocates, whether they are collected meanwhile or not. */
import { getHeapStatistics, GCProfiler } from 'node:v8';

/** Bytes that `work` took from the heap; what lies outside it (the contents of buffers) does not count. */
export function heapBytesOf(work: () => void): number {
  const profiler = new GCProfiler();
  profiler.start();
  const before = getHeapStatistics().used_heap_size;
  work();
  const after = getHeapStatistics().used_heap_size;
  const { statistics } = profiler.stop();
  const collected = statistics.map(
    ({ beforeGC, afterGC }) => beforeGC.heapStatistics.usedHeapSize - afterGC.heapStatistics.usedHeapSize,
  );
  return after - before + collected.reduce((sum, bytes) => sum + bytes, 0);
}
