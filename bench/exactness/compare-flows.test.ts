/** A comparison that cannot find a difference proves nothing: what it must find, and what it may set aside. */
import { expect, test } from 'vitest';
import { featureCount, featureNames } from '../../shared/src/features/feature-schema.ts';
import { compareFlows } from './compare-flows.ts';
import type { FlowLine } from './flow-line.ts';
import { referenceArtefacts } from './reference-artefacts.ts';

function line(key: string, values: Readonly<Record<string, number>> = {}): FlowLine {
  return { key, values: Array.from({ length: featureCount }, (_, index) => values[featureNames[index]!] ?? 1) };
}

const tcp = '10.0.0.2,40001,203.0.113.5,80,6';
const loopback = '127.0.0.1,40001,127.0.0.1,80,6';
const arp = '8.6.0.1,0,8.0.6.4,0,0';

test('equal tables have no difference, in any order, up to the last digits', () => {
  const other = line(`${tcp},7`, { 'Flow IAT Std': 1 / 3 });
  const result = compareFlows([line(tcp), other], [line(`${tcp},7`, { 'Flow IAT Std': 0.333333333333 }), line(tcp)]);
  expect(result).toMatchObject({ ours: 2, theirs: 2, values: 2 * featureCount, differences: [] });
});

test.each(featureNames.map((name) => [name]))('a different %s is a difference', (name) => {
  expect(compareFlows([line(tcp)], [line(tcp, { [name]: 1.000_000_01 })]).differences).toHaveLength(1);
  expect(compareFlows([line(tcp)], [line(tcp, { [name]: Number.NaN })]).differences).toHaveLength(1);
});

test('NaN equals NaN, and Infinity itself', () => {
  const odd = { 'Flow Bytes/s': Number.NaN, 'Flow Packets/s': Infinity };
  expect(compareFlows([line(tcp, odd)], [line(tcp, odd)]).differences).toEqual([]);
  expect(compareFlows([line(tcp, odd)], [line(tcp, { ...odd, 'Flow Packets/s': -Infinity })]).differences).toHaveLength(
    1,
  );
});

test('a flow that only one side has is a difference, also when it is a double', () => {
  expect(compareFlows([line(tcp)], []).differences).toEqual([`only in ours: ${tcp}`]);
  expect(compareFlows([], [line(tcp)]).differences).toEqual([`only in the reference: ${tcp}`]);
  expect(compareFlows([line(tcp), line(tcp)], [line(tcp)]).differences).toEqual([`only in ours: ${tcp}`]);
});

test('an artefact excuses its own columns and no others', () => {
  const result = compareFlows([line(loopback)], [line(loopback, { 'Total Fwd Packets': 2, 'Flow Duration': 2 })]);
  expect(result.differences).toEqual([`${loopback} Flow Duration: 1 for 2`]);
  expect([...result.setAside]).toEqual([['own-address', { rows: 0, values: 1 }]]);
  for (const { columns } of referenceArtefacts) {
    for (const name of ['Destination Port', 'Flow Duration', 'Flow IAT Mean', 'SYN Flag Count', 'Active Max']) {
      expect(columns?.has(name) ?? false).toBe(false);
    }
  }
});

test('a misread frame is excused where we have no flow; where we have one it is compared', () => {
  expect([...compareFlows([], [line(arp)]).setAside]).toEqual([['misread-arp', { rows: 1, values: 0 }]]);
  expect(compareFlows([line(arp)], [line(arp, { 'Flow Duration': 2 })]).differences).toHaveLength(1);
});
