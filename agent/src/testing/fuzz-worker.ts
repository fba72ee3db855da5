/** The thread in which a fuzz run works, so that the thread beside it can tell when it hangs. */
import { parentPort, workerData } from 'node:worker_threads';
import type { FuzzMessage } from './fuzz.ts';
import { FuzzRun, type FuzzOptions } from './fuzz-run.ts';

if (parentPort === null) throw new Error('fuzz-worker.ts is a worker thread, not a program');
const port = parentPort;
const { options, turns } = workerData as { readonly options: FuzzOptions; readonly turns: Int32Array };

const progressEveryMs = 1000;
let toldMs = 0;

function tell(message: FuzzMessage): void {
  port.postMessage(message);
}

const report = new FuzzRun(options).run((name, done) => {
  // What a hung thread still shows: [cases begun, kind, number].
  turns[1] = name.startsWith('file') ? 1 : 0;
  turns[2] = Number(name.split(':')[1]);
  Atomics.add(turns, 0, 1);
  if (performance.now() - toldMs < progressEveryMs) return;
  toldMs = performance.now();
  tell({ type: 'progress', report: done() });
});
tell({ type: 'end', report });
