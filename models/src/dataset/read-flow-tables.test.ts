import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { featureCount, features } from '@picket/shared/features/feature-schema';
import { trafficClasses } from '@picket/shared/features/traffic-classes';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { splitForTraining, usualSplit } from './capture-split.ts';
import { emptyDataset } from './flow-rows.ts';
import type { Dataset } from './flow-rows.ts';
import { readFlowTables } from './read-flow-tables.ts';

const split = { seed: 1, split: splitForTraining(usualSplit) };
let folder: string;
let dataset: Dataset;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'picket-tables-'));
  dataset = emptyDataset();
});
afterEach(() => rmSync(folder, { recursive: true }));

const newerNames = [...new Set(features.map(({ newer_name }) => newer_name))];

/** Each column holds its own number, but for those given. */
function line(cells: Readonly<Record<string, string>>): string {
  return [
    ...newerNames.map((name, index) => cells[name] ?? String(index)),
    ...keys.map((key) => cells[key] ?? ''),
  ].join();
}
const keys = ['Src IP', 'Dst IP', 'Timestamp', 'Label', 'Device', 'Capture'];

function writeTable(name: string, lines: readonly string[]): void {
  mkdirSync(join(folder, name));
  const text = [[...newerNames, ...keys].join(), ...lines, ''].join('\r\n');
  writeFileSync(join(folder, name, 'a.csv.gz'), gzipSync(text));
}

test('columns are found by the newer names, and one that newer tables dropped by the one it repeated', () => {
  const flow = { Device: 'Plug', Capture: 'a', Label: 'BENIGN' };
  writeTable('iot-sentinel-benign-flows', [
    line(flow),
    line({ ...flow, 'Flow Bytes/s': '-1.0', 'Flow Packets/s': 'NaN' }),
  ]);
  readFlowTables(folder, split, dataset);
  const expected = features.map(({ newer_name }) => newerNames.indexOf(newer_name));
  expect([...dataset.rows.row(0)]).toEqual(expected);
  expect(new Set(expected).size).toBe(featureCount - 1);
  expect([...dataset.rows.row(1).subarray(13, 17)]).toEqual([expected[13], 0, 0, expected[16]]);
  expect(dataset.sequences).toHaveLength(1);
});

test('windows never cross captures, nor parts', () => {
  const minutes = Array.from({ length: 40 }, (_, index) => `2017-07-07 12:${String(index).padStart(2, '0')}:30.000001`);
  writeTable('cicids2017-improved', [
    ...minutes.map((at) => line({ 'Src IP': '172.16.0.1', 'Dst IP': '192.168.10.50', Timestamp: at, Label: 'DDoS' })),
    ...minutes.map((at) => line({ 'Src IP': '192.168.10.5', 'Dst IP': '8.8.8.8', Timestamp: at, Label: 'BENIGN' })),
  ]);
  writeTable(
    'iot-sentinel-benign-flows',
    ['a', 'a', 'b', 'b'].map((capture) => line({ Device: 'Plug', Capture: capture })),
  );
  readFlowTables(folder, split, dataset);
  const owner = new Map<number, number>();
  for (const [index, { windows }] of dataset.sequences.entries()) {
    for (const row of windows) {
      if (row < 0) continue;
      expect(owner.get(row) ?? index).toBe(index);
      owner.set(row, index);
    }
  }
  expect(owner.size).toBe(84);
  const classes = new Set([...dataset.rows.classes.subarray(0, dataset.rows.count)].map((at) => trafficClasses[at]));
  expect(classes).toEqual(new Set(['benign', 'ddos_flood']));
});

test('device types of a table are split as the manifest has them', () => {
  const devices = ['HueSwitch', 'Aria', 'D-LinkHomeHub'];
  writeTable(
    'iot-sentinel-benign-flows',
    devices.map((device) => line({ Device: device, Capture: 'a' })),
  );
  readFlowTables(folder, split, dataset);
  expect(dataset.sequences.map(({ group, part }) => [group, part])).toEqual([
    ['HueSwitch', 'train'],
    ['Aria', 'validation'],
    ['D-LinkHomeHub', 'test'],
  ]);
});

test('attempts that did nothing are neither attack nor honest', () => {
  const flow = { 'Src IP': '172.16.0.1', 'Dst IP': '192.168.10.50', Timestamp: '2017-07-07 12:00:30.5' };
  writeTable('cicids2017-improved', [
    line({ ...flow, Label: 'DoS Slowloris - Attempted' }),
    line({ ...flow, Label: 'DoS Slowloris' }),
  ]);
  readFlowTables(folder, split, dataset);
  expect(dataset.rows.count).toBe(1);
  expect(trafficClasses[dataset.rows.classes[0]!]).toBe('slow_rate');
});

test('a time of another kind is refused: all of it would land in one part', () => {
  const flow = { 'Src IP': '172.16.0.1', 'Dst IP': '192.168.10.50', Label: 'DDoS' };
  writeTable('cicids2017-improved', [line({ ...flow, Timestamp: '7/7/2017 3:30' })]);
  expect(() => readFlowTables(folder, split, dataset)).toThrow(/a\.csv\.gz: "7\/7\/2017 3:30" is no time/);
});

test('a folder without tables, and a table without a feature, are refused by name', () => {
  expect(() => readFlowTables(folder, split, dataset)).toThrow(/cicids2017-improved/);
  mkdirSync(join(folder, 'iot-sentinel-benign-flows'));
  writeFileSync(join(folder, 'iot-sentinel-benign-flows', 'a.csv'), 'Dst Port,Device\n1,x\n');
  expect(() => readFlowTables(folder, split, dataset)).toThrow(/no column for feature Flow Duration/);
});
