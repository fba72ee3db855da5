/** What a training had, as one hash: the same data train the same network, and data that differ in anything are told apart. */
import { createHash } from 'node:crypto';
import { flowContextVersion } from '@picket/shared/features/flow-context';
import type { Dataset, WindowSequence } from './dataset/flow-rows.ts';

/**
 * SHA-256 over everything of the training and validation parts that training looks at: windows and when they would have
 * been scored, flows with their truth, what made them and between whom, how long each gateway was listened to. Whatever
 * there is to test on does not change it: rows, pairs and runs are numbered in the order in which training meets them.
 */
export function dataFingerprint({ rows, sequences, episodes, listenings }: Dataset): string {
  const hash = createHash('sha256');
  const say = (...values: readonly unknown[]): void => void hash.update(`${JSON.stringify(values)}\n`);
  say('flow context', flowContextVersion);
  const pairs = new Numbered();
  const runs = new Numbered();
  const met = new Numbered();
  const meet = (row: number): number => {
    const before = met.count;
    const number = met.of(row);
    if (number < before) return number;
    const episode = episodes[rows.episodes[row]!];
    const run = episode === undefined ? [] : [runs.of(rows.episodes[row]!), episode.class, episode.tool, episode.step];
    const pair = rows.pairs[row]! < 0 ? -1 : pairs.of(rows.pairs[row]!);
    say(rows.classes[row], rows.residues[row], rows.originNames[rows.origins[row]!], pair, ...run);
    say(rows.startUs[row], rows.lastUs[row], rows.directions[row], rows.recentOfDevice[row], rows.recentOfPeer[row]);
    say(rows.deviceSinceUs[row], rows.peerSinceUs[row]);
    hash.update(rows.row(row));
    return number;
  };
  const isLearntFrom = ({ part }: Pick<WindowSequence, 'part'>): boolean => part !== 'test';
  for (const { windows, atUs, counts, ...names } of sequences.filter(isLearntFrom)) {
    say(names.source, names.group, names.capture, names.device, names.part);
    hash.update(windows.map((row) => (row < 0 ? row : meet(row))));
    hash.update(atUs).update(counts);
  }
  for (const { source, group, capture, part, view, seconds, isAttacked } of listenings.filter(isLearntFrom)) {
    say(source, group, capture, part, view, seconds, isAttacked);
  }
  return hash.digest('hex');
}

/** Numbers in the order of their first use. */
class Numbered {
  readonly #numbers = new Map<number, number>();

  get count(): number {
    return this.#numbers.size;
  }

  of(value: number): number {
    const known = this.#numbers.get(value);
    if (known !== undefined) return known;
    this.#numbers.set(value, this.#numbers.size);
    return this.#numbers.size - 1;
  }
}
