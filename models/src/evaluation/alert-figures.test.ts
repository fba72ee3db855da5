/** Figures over what a person is told: what is told once must hide neither a miss nor how often something is false. */
import { featureCount, windowLength } from '@picket/shared/features/feature-schema';
import { trafficClasses } from '@picket/shared/features/traffic-classes';
import { expect, test } from 'vitest';
import { emptyDataset, slidingWindows, type Dataset, type WindowSequence } from '../dataset/flow-rows.ts';
import type { Proof, ProofsOf } from './alarms.ts';
import { episodeFigures, quietFigures } from './alert-figures.ts';

const scan = trafficClasses.indexOf('port_scan');
const common = { source: 'made', group: 'site', capture: 'one', part: 'test' } as const;

/** Runs of one scan, `minutes` apart, ten flows each; without runs the same in peace. */
function dataset(runs: number, minutes: number, isAttack = true): { data: Dataset; sequence: WindowSequence } {
  const data = emptyDataset();
  const numbers = Array.from({ length: runs * windowLength }, (_, flow) => {
    const run = Math.floor(flow / windowLength);
    const fromUs = (run * minutes * 60 + 1) * 1e6;
    if (isAttack && flow % windowLength === 0)
      data.episodes.push({ ...common, class: 'port_scan', tool: 'nmap', step: String(run), fromUs });
    return data.rows.add(new Float32Array(featureCount), isAttack ? 'port_scan' : 'benign', '', isAttack ? run : -1);
  });
  const atUs = Float64Array.from(numbers, (_, flow) => (Math.floor(flow / windowLength) * minutes * 60 + 2) * 1e6);
  const counts = new Uint8Array(numbers.length).fill(1);
  const sequence = { ...common, device: '10.0.0.2', windows: slidingWindows(numbers), atUs, counts };
  data.sequences.push(sequence);
  const listening = {
    ...common,
    seconds: 24 * 3600,
    view: 'lan',
    flows: numbers.length,
    isAttacked: isAttack,
  } as const;
  data.listenings.push(listening);
  return { data, sequence };
}

/** One proof in the last window of each run, of those that are seen. */
function proofs({ atUs }: WindowSequence, isSeen: (run: number) => boolean = () => true): ProofsOf {
  const windows = Array.from(atUs.keys()).filter((number) => number % windowLength === windowLength - 1);
  const found = windows.map((number): Proof => ({ atUs: atUs[number]!, attack: scan, peer: null, windows: [number] }));
  return () => found.filter((_, run) => isSeen(run));
}

test('a run counts as alerted by a proof of its own, whether that opens an alert or goes on with one', () => {
  const { data, sequence } = dataset(4, 20);
  const scored = [{ sequence, probabilities: new Float32Array() }];
  const alertedOf = (isSeen: (run: number) => boolean): number | undefined =>
    episodeFigures(data, scored, 'test', proofs(sequence, isSeen), () => 'nowhere')[0]?.alerted;
  expect(alertedOf(() => true)).toBe(4);
  expect(
    alertedOf((run) => run !== 2),
    'its alert may still come back, and it was missed',
  ).toBe(3);
});

test('how long it takes is told in windows of the run as well', () => {
  const { data, sequence } = dataset(2, 20);
  const figures = episodeFigures(
    data,
    [{ sequence, probabilities: new Float32Array() }],
    'test',
    proofs(sequence),
    () => 'train',
  );
  // Each proof stands in the tenth window that holds any of its run; none of the first run's flows is in it any more.
  expect(figures[0]).toMatchObject({ alerted: 2, median_seconds: 1, median_windows: windowLength });
});

test('what comes back is told once and counted each time, side by side', () => {
  const { data, sequence } = dataset(5, 20, false);
  const scored = [{ sequence, probabilities: new Float32Array() }];
  const [row] = quietFigures(data, scored, 'test', proofs(sequence));
  expect(row).toMatchObject({ false_alerts: 5, per_gateway_day: 5, told: { false_alerts: 1, per_gateway_day: 1 } });
  expect(row).toMatchObject({ gateway_hours: 24, flows: 50 });
  expect(row!.told!.at_most_per_gateway_day).toBeCloseTo(4.744, 3);
});
