/**
 * Cables between namespaces: veth pairs without segmentation offload (else one captured "packet" is up to 64 kB) and,
 * where wanted, shaped to the speed of a real line.
 */
import { type Namespace, must } from './namespace.ts';

export interface LinkEnd {
  readonly namespace: Namespace;
  /** At most 15 characters. */
  readonly device: string;
  /** What this end may send; null: as fast as the machine can. */
  readonly megabitsPerSecond: number | null;
}

export async function connect(a: LinkEnd, b: LinkEnd): Promise<void> {
  await must([
    'ip',
    'link',
    'add',
    'name',
    a.device,
    'netns',
    a.namespace.name,
    'type',
    'veth',
    'peer',
    'name',
    b.device,
    'netns',
    b.namespace.name,
  ]);
  for (const end of [a, b]) {
    await end.namespace.must(['ip', 'link', 'set', end.device, 'gso_max_segs', '1', 'gso_max_size', '1514', 'up']);
    if (end.megabitsPerSecond !== null) await shape(end, end.megabitsPerSecond);
  }
}

/** A small burst, so that packets are spaced by the line's speed, and a queue of 80 ms that drops when it is full. */
async function shape(end: LinkEnd, megabitsPerSecond: number): Promise<void> {
  await end.namespace.must([
    'tc',
    'qdisc',
    'add',
    'dev',
    end.device,
    'root',
    'tbf',
    'rate',
    `${megabitsPerSecond}mbit`,
    'burst',
    '3k',
    'latency',
    '80ms',
  ]);
}
