/**
 * A line with a length between two namespaces: delay by far address, jitter, loss and a bottleneck, made by a small
 * program that carries packets from one TUN (or TAP) device to the other, for many kernels lack `sch_netem`.
 */
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Namespace } from './namespace.ts';

const program = fileURLToPath(new URL('./programs/line.py', import.meta.url));

export interface Line {
  /** Mbit/s from the near to the far end, and back; 0: no bottleneck. */
  readonly up: number;
  readonly down: number;
  /** Each far address lies somewhere between the two, one way; more of them near than far. */
  readonly delay_ms: readonly [number, number];
  /** Mean of what is added to each packet, exponentially distributed; order is kept. */
  readonly jitter_ms: number;
  /** Share of packets that get lost. */
  readonly loss: number;
  /** Longer queues than this are cut. */
  readonly queue_ms: number;
  readonly seed: number;
}

export interface LineEnd {
  readonly namespace: Namespace;
  readonly device: string;
}

/** Both devices exist when this returns; their addresses are the caller's work. The line ends with the far namespace. */
export async function layLine(near: LineEnd, far: LineEnd, line: Line, isEthernet: boolean): Promise<void> {
  const ends = [near, far].map(({ namespace, device }) => ({ namespace: namespace.name, device }));
  const child = far.namespace.spawn(['python3', program, JSON.stringify({ ends, line, ethernet: isEthernet })], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  child.stderr?.on('data', (bytes: Buffer) => (said = (said + bytes.toString()).slice(-2000)));
  const [first] = (await Promise.race([
    once(createInterface({ input: child.stdout! }), 'line'),
    once(child, 'exit').then(() => ['']),
  ])) as [string];
  if (first !== 'ready') throw new Error(`the line to ${far.namespace.name} did not come up: ${said.trim()}`);
}
