import { featureCount, featureNames, windowLength } from '@picket/shared/features/feature-schema';
import { directionNumber } from '@picket/shared/features/flow-context';
import { trafficClasses } from '@picket/shared/features/traffic-classes';
import { expect, test } from 'vitest';
import { windowAt } from '../dataset/evaluation-windows.ts';
import { FlowRows, slidingWindows, type WindowSequence } from '../dataset/flow-rows.ts';
import { classCount } from '../network/network-parameters.ts';
import { poissonUpperBound } from './alert-figures.ts';
import { afterQuiet, alertCount, asTold, countedProofsOf, likeliestAttack, proofsOf, type Proof } from './alarms.ts';
import { JudgedFlows } from './judged-flows.ts';

const scan = trafficClasses.indexOf('port_scan');

/** Windows of ten flows every second; `counts` says which are new enough. */
function sequence(counts: readonly number[]): WindowSequence {
  return {
    source: 'made',
    group: 'site',
    capture: 'one',
    device: '10.0.0.2',
    part: 'test',
    windows: new Int32Array(counts.length * windowLength),
    atUs: Float64Array.from(counts, (_, index) => index * 1e6),
    counts: Uint8Array.from(counts),
  };
}

function scores(values: readonly number[]): Float32Array {
  const rows = new Float32Array(values.length * classCount);
  for (const [index, value] of values.entries()) {
    rows[index * classCount] = 1 - value;
    rows[index * classCount + scan] = value;
  }
  return rows;
}

test('one loud window is no proof, and windows without enough new do not count', () => {
  expect(
    proofsOf(new FlowRows(), { sequence: sequence([1, 1, 1, 1]), probabilities: scores([0, 1, 0, 0]) }, 0.9),
  ).toEqual([]);
  expect(
    proofsOf(new FlowRows(), { sequence: sequence([1, 0, 0, 0, 0]), probabilities: scores([1, 1, 1, 1, 1]) }, 0.9),
  ).toEqual([]);
});

test('enough loud windows of the last few are one, and it names its class', () => {
  const proofs = proofsOf(
    new FlowRows(),
    { sequence: sequence([1, 1, 1, 1, 1]), probabilities: scores([1, 0, 1, 1, 1]) },
    0.9,
  );
  expect(proofs.length).toBeGreaterThan(0);
  expect(proofs[0]!.attack).toBe(scan);
  expect(proofs[0]!.windows.every((number) => number !== 1)).toBe(true);
  expect(
    proofsOf(new FlowRows(), { sequence: sequence([1, 1, 1, 1, 1]), probabilities: scores([1, 0, 1, 1, 1]) }, 1.01),
  ).toEqual([]);
});

test('what is a little less sure is proven by going on and on', () => {
  const counts = Array.from({ length: 20 }, () => 1);
  const lasting = (loud: number): Float32Array => scores(counts.map((_, index) => (index >= 20 - loud ? 0.92 : 0.5)));
  expect(proofsOf(new FlowRows(), { sequence: sequence(counts), probabilities: lasting(14) }, 0.98)).toEqual([]);
  expect(proofsOf(new FlowRows(), { sequence: sequence(counts), probabilities: lasting(15) }, 0.98)).toMatchObject([
    { attack: scan, atUs: 19e6 },
  ]);
});

const at = (seconds: number, peer: string | null = null): Proof => ({
  atUs: seconds * 1e6,
  attack: scan,
  peer,
  windows: [],
});

test('proofs are one alert until it has been quiet for five minutes', () => {
  expect(alertCount([at(0), at(10), at(200), at(499)], afterQuiet)).toBe(1);
  expect(alertCount([at(0), at(10), at(311)], afterQuiet)).toBe(2);
  expect(alertCount([at(0), { ...at(1), attack: 1 }], afterQuiet)).toBe(2);
  expect(alertCount([at(0), at(400)], afterQuiet, ({ atUs }) => atUs > 0)).toBe(1);
});

test('a person is told once of what comes back within an hour, and of each peer', () => {
  const hourly = [at(0), at(1200), at(4800), at(8401)];
  expect([alertCount(hourly, afterQuiet), alertCount(hourly, asTold)]).toEqual([4, 2]);
  const peers = [at(0, '203.0.113.9'), at(1, '203.0.113.10'), at(400, '203.0.113.9')];
  expect([alertCount(peers, afterQuiet), alertCount(peers, asTold)]).toEqual([2, 2]);
});

test('the bound on a rate that was never seen is three, and grows with what was seen', () => {
  expect(poissonUpperBound(0)).toBeCloseTo(2.996, 3);
  expect(poissonUpperBound(1)).toBeCloseTo(4.744, 3);
  expect(poissonUpperBound(10)).toBeCloseTo(16.962, 2);
});

/** One window after each of `count` knocks on ever other ports, of whose direction and ends all is known. */
function knocks(count: number, from: string): { rows: FlowRows; sequence: WindowSequence } {
  const rows = new FlowRows();
  const features = new Float32Array(featureCount);
  for (const name of ['Total Fwd Packets', 'Total Backward Packets', 'SYN Flag Count'] as const)
    features[featureNames.indexOf(name)] = 1;
  const numbers = Array.from({ length: count }, (_, index) => {
    const ends = { from, to: '10.0.0.2', protocol: 6, port: index + 1 };
    const times = { startUs: index * 1e5, lastUs: index * 1e5 };
    const setting = {
      ...times,
      pair: 1,
      direction: directionNumber('inbound'),
      recentOfDevice: 1,
      recentOfPeer: 1,
      deviceSinceUs: 0,
      peerSinceUs: 0,
      ends,
    };
    return rows.add(features, 'benign', '', -1, 0, setting);
  });
  const windows = slidingWindows(numbers);
  const atUs = Float64Array.from(numbers, (_, index) => index * 1e5);
  return { rows, sequence: { ...sequence(numbers.map(() => 0)), windows, atUs } };
}

test('what a gateway counts is a proof whatever is said of the windows, in the window that adds to it', () => {
  const { rows, sequence: scanned } = knocks(31, '203.0.113.9');
  expect(countedProofsOf(rows, scanned)).toEqual([
    { atUs: 29e5, attack: scan, peer: '203.0.113.9', windows: [29] },
    { atUs: 30e5, attack: scan, peer: '203.0.113.9', windows: [30] },
  ]);
  const madeUp = knocks(31, '');
  expect(countedProofsOf(madeUp.rows, madeUp.sequence), 'sources that a pack does not name').toEqual([]);
});

test('an attack is named by what its flows can be', () => {
  const { rows, sequence: scanned } = knocks(10, '203.0.113.9');
  const row = new Float32Array(classCount);
  row[trafficClasses.indexOf('data_exfiltration')] = 0.6;
  row[scan] = 0.4;
  const flows = new JudgedFlows(rows).of(windowAt(scanned, 9));
  expect(flows).toHaveLength(10);
  expect(likeliestAttack(row, scanned.device, flows), 'nothing left the device').toBe(scan);
  expect(likeliestAttack(row, scanned.device, []), 'nobody knows').toBe(trafficClasses.indexOf('data_exfiltration'));
});
