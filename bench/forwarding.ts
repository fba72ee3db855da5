/**
 * What a gateway's forwarding loses to ten thousand blocks of other hosts, and to the table without any: datagrams per
 * second of CPU and the median round trip, in turns with no table at all. The gateway tracks and translates, as gateways
 * do (`--untracked`: it does not, where the rules weigh most). Needs root, nft, ethtool, hping3 and ping; works in network
 * namespaces. JSON on stdout, each turn on stderr.
 */
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { NftablesFirewall } from '../agent/src/enforcement/nftables-firewall.ts';
import { blocks, openEnforcer, openStore, tenThousand } from './measure/enforcement-runs.ts';
import { figureOf, rounded } from './measure/figures.ts';
import { GatewayNamespaces } from './measure/gateway-namespaces.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '12' },
    seconds: { type: 'string', default: '1' },
    pings: { type: 'string', default: '500' },
    untracked: { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds);
if (!(rounds > 1)) throw new Error('an interval needs at least two rounds');

const tables = ['none', 'empty', 'ten_thousand_blocks'] as const;
type Table = (typeof tables)[number];

interface Turn {
  /** Microseconds. */
  readonly cpuPerPacket: number;
  readonly roundTrip: number;
}

using network = GatewayNamespaces.open();
if (!values.untracked) network.translate();
network.flood(300); // warm
const turns: Record<Table, Turn[]> = { none: [], empty: [], ten_thousand_blocks: [] };
const loads: number[] = [];
for (let round = 0; round < rounds; round++) {
  for (let place = 0; place < tables.length; place++) {
    const table = tables[(round + place) % tables.length]!;
    const turn = await measure(table);
    turns[table].push(turn);
    loads.push(loadavg()[0] ?? Number.NaN);
    console.error(JSON.stringify({ round, table, ...turn }));
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

async function measure(table: Table): Promise<Turn> {
  await using firewall = NftablesFirewall.create({
    nft: network.inside('gateway', 'nft'),
    conntrack: ['true'], // deletions of connections run beside, and would be measured with the forwarding
    isBridge: () => false,
  });
  await firewall.clear(AbortSignal.timeout(60_000));
  using store = openStore(':memory:');
  await using enforcer = await openEnforcer(firewall, store);
  if (table === 'none') await enforcer.useMode('observe');
  if (table === 'ten_thousand_blocks') {
    const events = await enforcer.add(blocks(tenThousand));
    if (events.some(({ state }) => state !== 'verified')) throw new Error('not all blocks were verified');
  }
  const { packets, cpuSeconds } = network.flood(Number(values.seconds) * 1000);
  const trips = network.roundTrips(Number(values.pings)).toSorted((a, b) => a - b);
  if (packets < 1000 || trips.length < Number(values.pings) / 2) throw new Error('the gateway did not forward');
  return { cpuPerPacket: (cpuSeconds * 1e6) / packets, roundTrip: trips[trips.length >> 1]! };
}

/** By how much less than without a table, of each round; the mean with its interval, and the median. `pick`: more is better. */
function costOf(table: Table, pick: (turn: Turn) => number): object {
  const costs = turns[table].map((turn, round) => (1 - pick(turn) / pick(turns.none[round]!)) * 100);
  const mean = costs.reduce((sum, cost) => sum + cost, 0) / rounds;
  const deviation = Math.sqrt(costs.reduce((sum, cost) => sum + (cost - mean) ** 2, 0) / (rounds - 1));
  const half = (1.96 * deviation) / Math.sqrt(rounds);
  return {
    mean: rounded(mean, 1),
    interval_95: [rounded(mean - half, 1), rounded(mean + half, 1)],
    median: figureOf(costs, 1).median,
  };
}
