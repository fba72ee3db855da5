/**
 * What a gateway's forwarding loses to ten thousand blocks of other hosts, and to the table without any: datagrams per
 * second of CPU and the median round trip, in short turns with no table at all, of three gateways that stand side by side
 * and swap their tables twice. They track and translate, as gateways do (`--untracked`: they do not, where the rules weigh
 * most). Needs root, nft, ethtool, hping3 and ping; works in network namespaces. JSON on stdout, each turn on stderr.
 */
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { NftablesFirewall } from '../agent/src/enforcement/nftables-firewall.ts';
import { blocks, openEnforcer, openStore, tenThousand } from './measure/enforcement-runs.ts';
import { figureOf, rounded } from './measure/figures.ts';
import { GatewayNamespaces } from './measure/gateway-namespaces.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '60' },
    seconds: { type: 'string', default: '0.2' },
    pings: { type: 'string', default: '60' },
    untracked: { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds);
if (!(rounds >= 30)) throw new Error('an interval needs at least thirty rounds');

const tables = ['none', 'empty', 'ten_thousand_blocks'] as const;
type Table = (typeof tables)[number];

interface Turn {
  /** Microseconds. */
  readonly cpuPerPacket: number;
  readonly roundTrip: number;
}

await using resources = new AsyncDisposableStack();
const gateways = tables.map(() => resources.use(GatewayNamespaces.open()));
const turns: Record<Table, Turn[]> = { none: [], empty: [], ten_thousand_blocks: [] };
const loads: number[] = [];
for (const network of gateways) {
  if (!values.untracked) network.translate();
  network.flood(300); // warm
}
for (let swap = 0; swap < tables.length; swap++) {
  await using held = new AsyncDisposableStack();
  const standing = tables.map((table, place) => [table, gateways[(place + swap) % gateways.length]!] as const);
  for (const [table, network] of standing) await give(table, network, held);
  for (let round = Math.floor((rounds * swap) / 3); round < Math.floor((rounds * (swap + 1)) / 3); round++) {
    for (let place = 0; place < standing.length; place++) {
      const [table, network] = standing[(round + place) % standing.length]!;
      const turn = measure(network);
      turns[table].push(turn);
      loads.push(loadavg()[0] ?? Number.NaN);
      console.error(JSON.stringify({ round, table, ...turn }));
    }
  }
}
const figures = Object.fromEntries(
  tables.map((table) => {
    const cpu = turns[table].map(({ cpuPerPacket }) => cpuPerPacket);
    const trips = turns[table].map(({ roundTrip }) => roundTrip);
    return [
      table,
      {
        packets_per_cpu_second: Math.round(1e6 / figureOf(cpu).median),
        cpu_us_per_packet: figureOf(cpu),
        median_round_trip_us: figureOf(trips, 1),
        ...(table === 'none'
          ? {}
          : {
              throughput_cost_percent: costOf(table, ({ cpuPerPacket }) => 1 / cpuPerPacket),
              round_trip_cost_percent: costOf(table, ({ roundTrip }) => 1 / roundTrip),
            }),
      },
    ];
  }),
);
const load = { least: Math.min(...loads), most: Math.max(...loads) };
console.log(JSON.stringify({ rounds, seconds_each: Number(values.seconds), ...figures, load }, null, 2));

async function give(table: Table, network: GatewayNamespaces, held: AsyncDisposableStack): Promise<void> {
  const firewall = held.use(
    NftablesFirewall.create({
      nft: network.inside('gateway', 'nft'),
      conntrack: ['true'], // deletions of connections run beside, and would be measured with the forwarding
      isBridge: () => false,
    }),
  );
  await firewall.clear(AbortSignal.timeout(60_000));
  if (table === 'none') return;
  const enforcer = held.use(await openEnforcer(firewall, held.use(openStore(':memory:'))));
  if (table === 'empty') return;
  const events = await enforcer.add(blocks(tenThousand));
  if (events.some(({ state }) => state !== 'verified')) throw new Error('not all blocks were verified');
}

function measure(network: GatewayNamespaces): Turn {
  const { packets, cpuSeconds } = network.flood(Number(values.seconds) * 1000);
  const trips = network.roundTrips(Number(values.pings)).toSorted((a, b) => a - b);
  if (packets < 1000 || trips.length < Number(values.pings) / 2) throw new Error('the gateway did not forward');
  return { cpuPerPacket: (cpuSeconds * 1e6) / packets, roundTrip: trips[trips.length >> 1]! };
}

/** By how much less than without a table, of each round; median and mean, each with its interval. `pick`: more is better. */
function costOf(table: Table, pick: (turn: Turn) => number): object {
  const costs = turns[table]
    .map((turn, round) => (1 - pick(turn) / pick(turns.none[round]!)) * 100)
    .toSorted((a, b) => a - b);
  const mean = costs.reduce((sum, cost) => sum + cost, 0) / rounds;
  const deviation = Math.sqrt(costs.reduce((sum, cost) => sum + (cost - mean) ** 2, 0) / (rounds - 1));
  const half = (1.96 * deviation) / Math.sqrt(rounds);
  const rank = 0.98 * Math.sqrt(rounds);
  const ranked = (at: number): number => rounded(costs[Math.round(at)]!, 1);
  return {
    median: ranked((rounds - 1) / 2),
    median_interval_95: [ranked((rounds - 1) / 2 - rank), ranked((rounds - 1) / 2 + rank)],
    mean: rounded(mean, 1),
    mean_interval_95: [rounded(mean - half, 1), rounded(mean + half, 1)],
  };
}
