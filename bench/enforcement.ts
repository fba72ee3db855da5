/**
 * From a verdict to a block that was read back from the kernel, ten thousand decisions at once, from disk and after a
 * flush, by one process and through the one that holds the rights. Needs root, nft and ethtool; works in network
 * namespaces. JSON on stdout.
 */
import { spawnSync } from 'node:child_process';
import { loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { helperHeap } from '../agent/src/privileged/separate.ts';
import type { EnforcementTimes } from './measure/enforcement-child.ts';
import type { Cost } from './measure/enforcement-runs.ts';
import { GatewayNamespaces } from './measure/gateway-namespaces.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '100' },
    many: { type: 'string', default: '7' },
  },
});

using network = GatewayNamespaces.open();
const whole = measure('whole');
const separated = measure('separated');
console.log(JSON.stringify({ whole, separated, load: loadavg()[0] }, null, 2));

/** `ip netns exec` costs as much as nft: it is run once. */
function measure(role: 'whole' | 'separated'): object {
  const child = fileURLToPath(new URL('measure/enforcement-child.ts', import.meta.url));
  const heap = role === 'separated' ? helperHeap : [];
  const node = [process.execPath, ...process.execArgv, ...heap, child, role, values.runs, values.many];
  const [program = '', ...args] = network.inside('gateway', ...node);
  const { stdout, status } = spawnSync(program, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status !== 0) throw new Error(`the measuring process ended with ${status}`);
  const times = JSON.parse(stdout) as EnforcementTimes;
  const costs = (of: (one: EnforcementTimes['many'][number]) => Cost): object => ({
    wall_ms: spread(times.many.map((one) => of(one).wall)),
    own_cpu_ms: spread(times.many.map((one) => of(one).cpu)),
    ...(role === 'separated' ? { helper_cpu_ms: spread(times.many.map((one) => of(one).helper)) } : {}),
    nft_cpu_ms: spread(times.many.map((one) => of(one).nft)),
    all_cpu_ms: spread(times.many.map(of).map(({ cpu, helper, nft }) => cpu + helper + nft)),
  });
  return {
    verdict_to_verified_ms: {
      with_none_held: spread(times.withNoneHeldMs),
      with_10000_held: spread(times.withTenThousandHeldMs),
    },
    ten_thousand_decisions: costs(({ applied }) => applied),
    start_with_ten_thousand: costs(({ started }) => started),
    gap_after_flush_ms: spread(times.many.map(({ flushedMs }) => flushedMs)),
  };
}

interface Spread {
  readonly best: number;
  readonly p50: number;
  readonly p99: number;
}

function spread(measured: readonly number[]): Spread {
  const sorted = measured.toSorted((a, b) => a - b);
  const at = (share: number): number => round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!);
  return { best: at(0), p50: at(0.5), p99: at(0.99) };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
