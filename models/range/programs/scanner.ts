/** A connect scanner of our own: a connection to each host and port, one every so often, given up after its patience. */
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { Random } from '../random.ts';

interface Orders {
  /** Local address; empty: as the kernel chooses. */
  readonly from: string;
  readonly hosts: readonly string[];
  /** `22`, `1-1024`, `22,80,443`. */
  readonly ports: string;
  readonly gapMs: number;
  readonly patienceMs: number;
  readonly isShuffled: boolean;
  readonly seed: number;
}

const text = process.argv[2] ?? '{}';
// the orders are made by the range itself
const orders = JSON.parse(text.startsWith('{') ? text : readFileSync(text, 'utf8')) as Orders;
const random = new Random(orders.seed);
const ports = orders.ports.split(',').flatMap((part) => {
  const [low = 0, high = low] = part.split('-').map(Number);
  return Array.from({ length: high - low + 1 }, (_, index) => low + index);
});
const pairs = ports.flatMap((port) => orders.hosts.map((host) => ({ host, port })));
if (orders.isShuffled) pairs.sort(() => random.next() - 0.5);
for (const { host, port } of pairs) {
  const socket = connect({ host, port, ...(orders.from === '' ? {} : { localAddress: orders.from }) });
  socket.setTimeout(orders.patienceMs, () => socket.destroy());
  socket.on('error', () => socket.destroy());
  socket.on('connect', () => setTimeout(() => socket.destroy(), random.between(0, 40)));
  await pause(random.exponential(orders.gapMs));
}
