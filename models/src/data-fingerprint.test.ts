import { featureCount } from '@picket/shared/features/feature-schema';
import { expect, test } from 'vitest';
import { dataFingerprint } from './data-fingerprint.ts';
import { emptyDataset, slidingWindows } from './dataset/flow-rows.ts';
import type { Dataset, FlowSetting, Part } from './dataset/flow-rows.ts';

interface Change {
  readonly setting?: Partial<FlowSetting>;
  readonly origin?: string;
  readonly tool?: string;
  readonly score?: number;
  readonly seconds?: number;
}

/** Six flows of a scan on one device; `change` is made to the fourth of them, or to what is around it. */
function add(made: Dataset, part: Part, change: Change = {}): void {
  const { setting, origin = 'nmap -sS', tool = 'nmap', score = 0, seconds = 60 } = change;
  const key = { source: 'range', group: part, capture: `${part} scan`, part };
  const run = made.episodes.length;
  made.episodes.push({ ...key, class: 'port_scan', tool, step: origin, fromUs: 1 });
  const numbers = Array.from({ length: 6 }, (_, index) => {
    const values = new Float32Array(featureCount).fill(index);
    if (index === 3) values[10]! += score;
    const usual = {
      startUs: index * 1e6,
      lastUs: index * 1e6 + 5,
      pair: made.rows.count - index + (index % 2),
      direction: 0,
      recentOfDevice: index,
      recentOfPeer: 1,
      deviceSinceUs: 0,
      peerSinceUs: 0,
    };
    const own = index === 3 ? { ...usual, ...setting } : usual;
    return made.rows.add(values, 'port_scan', origin, run, 0, own);
  });
  const atUs = Float64Array.from(numbers, (_, index) => index * 1e6);
  const windows = slidingWindows(numbers);
  made.sequences.push({ ...key, device: '10.0.0.2', windows, atUs, counts: new Uint8Array(6) });
  made.listenings.push({ ...key, seconds, view: 'lan', flows: 6, isAttacked: true });
}

function fingerprint(change?: Change, before?: Part): string {
  const made = emptyDataset();
  if (before !== undefined) add(made, before);
  add(made, 'train', change);
  return dataFingerprint(made);
}

test('whatever training looks at changes it', () => {
  const changes: Change[] = [
    { setting: { pair: 77 } },
    { setting: { direction: 1 } },
    { setting: { startUs: 2.5e6 } },
    { setting: { lastUs: 3e6 + 6 } },
    { setting: { recentOfDevice: 9 } },
    { setting: { recentOfPeer: 9 } },
    { origin: 'nmap -sT' },
    { tool: 'masscan' },
    { score: 1 },
    { seconds: 61 },
  ];
  const all = [fingerprint(), ...changes.map((change) => fingerprint(change)), fingerprint({}, 'validation')];
  expect(new Set(all).size).toBe(changes.length + 2);
});

test('it stays the same for the same data, whatever there is to test on', () => {
  expect(fingerprint({})).toBe(fingerprint());
  expect(fingerprint({}, 'test')).toBe(fingerprint());
});
