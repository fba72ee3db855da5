/**
 * What the meter allocates on the JavaScript heap per packet while flows stay open, and where (a heap profile).
 * usage: allocation.ts [--packets 4000000] [--flows 10000]
 * JSON on stdout.
 */
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { meteringAllocation } from '../agent/src/testing/metering-allocation.ts';
import { rounded } from './measure/figures.ts';
import { type AllocationSite, allocationSites } from './measure/heap-sites.ts';

const { values: options } = parseArgs({
  options: { packets: { type: 'string', default: '4000000' }, flows: { type: 'string', default: '10000' } },
});
const traffic = { flows: Number(options.flows), packets: Number(options.packets) };

const perEndings = (['reference', 'live'] as const).map((endings) => {
  const counted = meteringAllocation({ ...traffic, endings });
  let sites: readonly AllocationSite[] = [];
  meteringAllocation({ ...traffic, endings, around: (work) => (sites = allocationSites(work)) });
  return [
    endings,
    {
      packets: counted.packets,
      handed_over: counted.handedOver,
      heap_bytes: counted.heapBytes,
      heap_bytes_per_packet: rounded(counted.heapBytes / counted.packets, 4),
      buffer_bytes: counted.bufferBytes,
      top_sites: sites,
    },
  ];
});
console.log(
  JSON.stringify(
    {
      bench: 'allocation',
      flows: traffic.flows,
      ...Object.fromEntries(perEndings),
      node: process.version,
      load: loadavg()[0],
    },
    undefined,
    2,
  ),
);
