import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { windowLength } from '@picket/shared/features/feature-schema';
import { trafficClasses } from '@picket/shared/features/traffic-classes';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { emptyDataset } from './flow-rows.ts';
import { labelWindow } from './label-window.ts';
import { splitForTraining, usualSplit } from './capture-split.ts';
import { capturesIn, replayCaptures } from './replay-captures.ts';

const captures = fileURLToPath(new URL('../../../agent/captures/', import.meta.url));
const split = splitForTraining(usualSplit);
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'picket-captures-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test(
  'the demonstration capture gives windows of its devices, labelled by who did what',
  { timeout: 300_000 },
  async () => {
    for (const file of ['demo.pcap', 'demo.labels.json']) cpSync(join(captures, file), join(folder, file));
    const dataset = emptyDataset();
    await replayCaptures(folder, split, dataset, () => undefined);
    expect(dataset.sequences.every(({ part }) => part === 'test')).toBe(true);
    const found = new Set<string>();
    for (const { windows } of dataset.sequences) {
      for (let start = 0; start < windows.length; start += windowLength) {
        const window = windows.subarray(start, start + windowLength);
        expect(window.at(-1)).toBeGreaterThanOrEqual(0);
        const label = labelWindow(dataset.rows, window);
        if (label !== undefined) found.add(trafficClasses[label]!);
      }
    }
    for (const expected of ['benign', 'port_scan', 'brute_force_ssh', 'ddos_flood', 'slow_rate']) {
      expect(found).toContain(expected);
    }
  },
);

test('a capture without labels is what its folder says, and all of it', { timeout: 300_000 }, async () => {
  for (const kind of ['attack', 'benign']) {
    mkdirSync(join(folder, kind));
    cpSync(join(captures, 'benign.pcap'), join(folder, kind, 'some.pcap'));
  }
  const dataset = emptyDataset();
  await replayCaptures(folder, split, dataset, () => undefined);
  expect(dataset.listenings.map(({ capture, isAttacked }) => [capture, isAttacked])).toEqual([
    ['attack/some', true],
    ['benign/some', false],
  ]);
  expect(dataset.listenings.every(({ seconds, flows }) => seconds > 10 && flows > 10)).toBe(true);
  for (const { capture, windows } of dataset.sequences) {
    const label = capture === 'attack/some' ? 'other_attack' : 'benign';
    expect(trafficClasses[labelWindow(dataset.rows, windows.subarray(0, windowLength))!]).toBe(label);
  }
});

test(
  'device types go to their parts; attacks and what is of no type are for testing',
  { timeout: 300_000 },
  async () => {
    for (const place of ['benign/any/HueSwitch', 'benign/Aria', 'benign', 'attack/HueSwitch']) {
      mkdirSync(join(folder, place), { recursive: true });
      cpSync(join(captures, 'benign.pcap'), join(folder, place, 'some.pcap'));
    }
    const dataset = emptyDataset();
    await replayCaptures(folder, split, dataset, () => undefined);
    const own = basename(folder);
    expect(dataset.listenings.map(({ source, group, part }) => [source, group, part])).toEqual([
      ['iot-sentinel', 'HueSwitch', 'test'],
      ['iot-sentinel', 'Aria', 'validation'],
      ['iot-sentinel', 'HueSwitch', 'train'],
      [own, 'benign', 'test'],
    ]);
  },
);

test('a folder without captures, and a capture of unknown truth, are refused', async () => {
  const dataset = emptyDataset();
  await expect(replayCaptures(folder, split, dataset, () => undefined)).rejects.toThrow(/no .pcap/);
  cpSync(join(captures, 'benign.pcap'), join(folder, 'some.pcap'));
  await expect(replayCaptures(folder, split, dataset, () => undefined)).rejects.toThrow(/truth is unknown/);
});

test('captures come in the order of packs that are named after them', () => {
  for (const place of ['benign/Plug2', 'benign/Plug', 'benign/Plug-2']) {
    mkdirSync(join(folder, place), { recursive: true });
    writeFileSync(join(folder, place, 'a.pcap'), '');
  }
  const packs = ['benign_Plug_a.pcap.flows', 'benign_Plug2_a.pcap.flows', 'benign_Plug-2_a.pcap.flows'].sort();
  expect(capturesIn(folder).map((name) => `${name.replaceAll('/', '_')}.flows`)).toEqual(packs);
});
