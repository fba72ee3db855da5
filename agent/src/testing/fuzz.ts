/** A fuzz run in a thread of its own, with a watch over it: a case that hangs is ended and named like any other failure. */
import { Worker } from 'node:worker_threads';
import { caseDeadlineMs, type FuzzOptions, type FuzzReport } from './fuzz-run.ts';

export type FuzzMessage = { readonly type: 'progress' | 'end'; readonly report: FuzzReport };

const watchEveryMs = 500;

/**
 * Resolves when the run is over, whatever it found.
 * @throws when the thread ends without a report: out of memory, or an error of the fuzzer itself
 */
export async function fuzz(
  options: FuzzOptions,
  onProgress: (report: FuzzReport) => void = () => undefined,
): Promise<FuzzReport> {
  const turns = new Int32Array(new SharedArrayBuffer(12));
  const worker = new Worker(new URL('./fuzz-worker.ts', import.meta.url), { workerData: { options, turns } });
  const { promise, resolve, reject } = Promise.withResolvers<FuzzReport>();
  let latest: FuzzReport | undefined;
  let seen = 0;
  let movedMs = performance.now();
  worker.on('message', (message: FuzzMessage) => {
    if (message.type === 'end') resolve(message.report);
    latest = message.report;
    onProgress(message.report);
  });
  worker.on('error', reject);
  worker.on('exit', (code) => reject(new Error(`the fuzz thread ended without a report (code ${code})`)));
  const watch = setInterval(() => {
    const begun = Atomics.load(turns, 0);
    if (begun !== seen) movedMs = performance.now();
    seen = begun;
    if (begun === 0 || performance.now() - movedMs < 2 * caseDeadlineMs) return;
    const hung = `${turns[1] === 1 ? 'file' : 'packets'}:${turns[2]}`;
    const failure = { case: hung, oracle: 'no-hang', message: `not over after ${(2 * caseDeadlineMs) / 1000} s` };
    if (latest === undefined) reject(new Error(`case ${hung} hangs`));
    else resolve({ ...latest, failures: [...latest.failures, failure] });
  }, watchEveryMs);
  try {
    return await promise;
  } finally {
    clearInterval(watch);
    await worker.terminate();
  }
}

/** How to see a failure again. */
export function howToRepeat(report: FuzzReport): string {
  return report.failures
    .map(({ case: name, message }) => `${message}\n  npm run -s bench -- fuzz --seed ${report.seed} --case ${name}`)
    .join('\n');
}
