/**
 * Hostile input by hand: damaged packets and capture files through capture, packet, flow and features, and what was found.
 * usage: fuzz.ts [--packets N] [--files N] [--seed N] [--case packets:N|file:N]
 * Progress on standard error, JSON on standard output; ends with 1 where a promise was broken.
 */
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { fuzz, howToRepeat } from '../agent/src/testing/fuzz.ts';
import type { CaseKind } from '../agent/src/testing/fuzz-run.ts';

const { values: options } = parseArgs({
  options: {
    packets: { type: 'string', default: '1000000' },
    files: { type: 'string', default: '10000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
    case: { type: 'string' },
  },
});

const only = options.case === undefined ? {} : { only: caseOf(options.case) };
const startedMs = performance.now();
const [packets, files, seed] = [options.packets, options.files, options.seed].map(Number) as [number, number, number];
const report = await fuzz({ seed, packets, files, ...only }, (done) => {
  const seconds = Math.round((performance.now() - startedMs) / 1000);
  process.stderr.write(
    `${seconds} s: ${done.packets} of ${packets} packets, ${done.files} of ${files} files, ${done.failures.length} failures\n`,
  );
});
const { user, system } = process.cpuUsage();
console.log(
  JSON.stringify(
    {
      bench: 'fuzz',
      ...report,
      cpu_seconds: Math.round((user + system) / 1e6),
      rss_mib: Math.round(process.memoryUsage().rss / 1_048_576),
      node: process.version,
      cpu: cpus()[0]?.model,
      load: loadavg()[0],
    },
    undefined,
    2,
  ),
);
if (report.failures.length > 0) {
  process.stderr.write(`${howToRepeat(report)}\n`);
  process.exitCode = 1;
}

function caseOf(text: string): { readonly kind: CaseKind; readonly index: number } {
  const [kind, index] = text.split(':');
  if ((kind !== 'packets' && kind !== 'file') || !/^\d+$/.test(index ?? '')) {
    throw new Error(`--case: "${text}" is neither packets:N nor file:N`);
  }
  return { kind, index: Number(index) };
}
