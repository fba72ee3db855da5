/**
 * Packets per second of `picket-agent replay --speed max` through the whole pipeline: capture file to alerts, with the
 * shipped bundle and no controller. JSON on stdout.
 */
import { spawnSync } from 'node:child_process';
import { loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const file = process.argv[2] ?? `${root}agent/captures/demo.pcap`;
const runs: Record<string, number>[] = [];
for (let run = 0; run < 5; run++) {
  const result = spawnSync(
    process.execPath,
    ['--conditions=@picket/source', `${root}agent/src/main.ts`, 'replay', file, '--speed', 'max', '--json'],
    { encoding: 'utf8', maxBuffer: 1 << 30 },
  );
  if (result.status !== 0) throw new Error(result.stderr);
  runs.push(JSON.parse(result.stdout.trimEnd().split('\n').at(-1) ?? '') as Record<string, number>);
}
const rates = runs.map(({ packets = 0, seconds = 1 }) => Math.round(packets / seconds)).toSorted((a, b) => a - b);
console.log(
  JSON.stringify(
    {
      file,
      packets_per_second: { min: rates[0], median: rates[2], max: rates[4] },
      last_run: runs.at(-1),
      load: loadavg()[0],
    },
    null,
    2,
  ),
);
