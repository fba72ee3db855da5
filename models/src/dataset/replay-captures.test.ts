import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { windowLength } from '@picket/shared/features/feature-schema';
import { trafficClasses } from '@picket/shared/features/traffic-classes';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FlowRows, labelWindow } from './flow-rows.ts';
import type { Dataset } from './flow-rows.ts';
import { replayCaptures } from './replay-captures.ts';

const captures = fileURLToPath(new URL('../../../agent/captures/', import.meta.url));
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'picket-captures-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test(
  'the demonstration capture gives windows of its devices, labelled by who did what',
  { timeout: 90_000 },
  async () => {
    for (const file of ['demo.pcap', 'demo.labels.json']) cpSync(join(captures, file), join(folder, file));
    const dataset: Dataset = { rows: new FlowRows(), sequences: [] };
    await replayCaptures(folder, dataset, () => undefined);
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

test('a folder without labels, and labels without a capture, are refused', async () => {
  const dataset: Dataset = { rows: new FlowRows(), sequences: [] };
  await expect(replayCaptures(folder, dataset, () => undefined)).rejects.toThrow(/no capture/);
  cpSync(join(captures, 'demo.labels.json'), join(folder, 'demo.labels.json'));
  await expect(replayCaptures(folder, dataset, () => undefined)).rejects.toThrow(/no capture beside it/);
});
