/**
 * From a verdict to a block that was read back from the kernel, ten thousand decisions at once, and what ten thousand
 * blocks cost a gateway that forwards. Needs root, nft, conntrack and ethtool; works in network namespaces. JSON on stdout.
 */
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { newId, type DecisionId } from '../shared/src/contract/identifiers.ts';
import type { Decision } from '../shared/src/contract/decision.ts';
import { DecisionStore } from '../agent/src/enforcement/decision-store.ts';
import { Enforcer } from '../agent/src/enforcement/enforcer.ts';
import { emptyGuard, type Guard } from '../agent/src/enforcement/guard.ts';
import { NftablesFirewall } from '../agent/src/enforcement/nftables-firewall.ts';
import { GatewayNamespaces } from './measure/gateway-namespaces.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '100' },
    pairs: { type: 'string', default: '10' },
    seconds: { type: 'string', default: '2' },
  },
});
const tenThousand = 10_000;
const guard: Guard = {
  ...emptyGuard,
  controllers: [{ address: '192.0.2.10', port: 8883 }],
  dnsServers: ['192.0.2.53'],
  adminPrefixes: ['192.0.2.0/24'],
  managementPorts: [22],
  neverBlock: ['198.51.100.0/28'],
  ownAddresses: ['192.0.2.1', 'fe80::1'],
  defaultRoutes: ['192.0.2.254'],
};

using network = GatewayNamespaces.open();
const idle = await forVerdicts(0, Number(values.runs));
const atTenThousand = await forVerdicts(tenThousand, Math.ceil(Number(values.runs) / 4));
const many: Awaited<ReturnType<typeof atOnce>>[] = [];
for (let run = 0; run < 7; run++) many.push(await atOnce());
const forwarding = await forwardingCost(Number(values.pairs), Number(values.seconds) * 1000);

console.log(
  JSON.stringify(
    {
      verdict_to_verified_ms: { with_none_held: idle, with_10000_held: atTenThousand },
      ten_thousand_decisions: {
        wall_ms: spread(many.map(({ wallMs }) => wallMs)),
        own_cpu_ms: spread(many.map(({ ownCpuMs }) => ownCpuMs)),
      },
      forwarding,
      load: loadavg()[0],
    },
    null,
    2,
  ),
);

async function openEnforcer(resources: AsyncDisposableStack): Promise<Enforcer> {
  const firewall = resources.use(
    NftablesFirewall.create({
      nft: network.inside('gateway', 'nft'),
      conntrack: ['true'], // deletions of connections run beside, and would be measured with the forwarding
      isBridge: () => false,
    }),
  );
  await firewall.clear(new AbortController().signal);
  return resources.use(
    await Enforcer.open({
      store: resources.use(DecisionStore.open({ path: ':memory:' })),
      firewall,
      guard,
      mode: 'enforce',
      onEvent: () => {},
      log: { info: () => {}, warn: (...what: unknown[]) => console.error(what) },
      checkEveryMs: 3_600_000,
    }),
  );
}

/** Milliseconds from the proposal of a block to its being read back, one after the other. */
async function forVerdicts(held: number, runs: number): Promise<Spread> {
  await using resources = new AsyncDisposableStack();
  const enforcer = await openEnforcer(resources);
  if (held > 0) await enforcer.add(blocks(held));
  const times: number[] = [];
  for (let run = 0; run < runs; run++) {
    const decision = block(`203.0.113.${run % 250}`);
    const startedAtMs = performance.now();
    const [event] = await enforcer.add([decision]);
    times.push(performance.now() - startedAtMs);
    if (event?.state !== 'verified') throw new Error(`not verified: ${JSON.stringify(event)}`);
    await enforcer.remove([decision.id], 'measured');
  }
  return spread(times);
}

async function atOnce(): Promise<{ readonly wallMs: number; readonly ownCpuMs: number }> {
  await using resources = new AsyncDisposableStack();
  const enforcer = await openEnforcer(resources);
  const decisions = blocks(tenThousand);
  const cpu = process.cpuUsage();
  const startedAtMs = performance.now();
  const events = await enforcer.add(decisions);
  const wallMs = performance.now() - startedAtMs;
  const { user, system } = process.cpuUsage(cpu);
  if (events.some(({ state }) => state !== 'verified')) throw new Error('not all decisions were verified');
  return { wallMs, ownCpuMs: (user + system) / 1000 };
}

/**
 * One connection through a gateway that translates addresses, as gateways do, with ten thousand blocks and without any
 * table of ours, turn and turn about.
 */
async function forwardingCost(pairs: number, milliseconds: number): Promise<object> {
  const ratios: number[] = [];
  const without: number[] = [];
  network.translate();
  await network.throughput(500); // warm
  for (let pair = 0; pair < pairs; pair++) {
    const measured = new Map<boolean, number>();
    for (const blocked of pair % 2 === 0 ? [true, false] : [false, true]) {
      await using resources = new AsyncDisposableStack();
      const enforcer = await openEnforcer(resources);
      if (blocked) await enforcer.add(blocks(tenThousand));
      else await enforcer.useMode('observe');
      measured.set(blocked, await network.throughput(milliseconds));
    }
    without.push(measured.get(false)!);
    ratios.push(measured.get(true)! / measured.get(false)!);
  }
  const mean = ratios.reduce((sum, ratio) => sum + ratio, 0) / pairs;
  const deviation = Math.sqrt(ratios.reduce((sum, ratio) => sum + (ratio - mean) ** 2, 0) / (pairs - 1));
  const half = (1.96 * deviation) / Math.sqrt(pairs);
  return {
    pairs,
    seconds_each: milliseconds / 1000,
    megabits_per_second_without: spread(without.map((bytes) => (bytes * 8) / 1e6)),
    cost_percent: round((1 - mean) * 100),
    cost_percent_interval_95: [round((1 - mean - half) * 100), round((1 - mean + half) * 100)],
  };
}

function blocks(count: number): readonly Decision[] {
  return Array.from({ length: count }, (_, index) =>
    block(`100.${64 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`),
  );
}

function block(value: string): Decision {
  const nowMs = Date.now();
  return {
    id: newId() as DecisionId,
    origin: 'analyst',
    action: 'block',
    scope: 'ip',
    value,
    direction: 'both',
    created_at: new Date(nowMs).toISOString(),
    expires_at: new Date(nowMs + 3_600_000).toISOString(),
    scenario: 'measured',
    mode: 'enforce',
    reason: 'measured',
    who: 'bench',
    alert_id: null,
    rule_id: null,
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
