import { expect, test } from 'vitest';
import { DeviceRegistry } from '../devices/device-registry.ts';
import { defaultLanPrefixes } from '../devices/lan-prefixes.ts';
import { flowBatchOf } from '../testing/flow-rows.ts';
import { scoredWindow, type WindowSketch } from '../testing/scored-windows.ts';
import { ReplayOutcome } from './replay-outcome.ts';

test('windows are told by device: how many reached the threshold, how many of these count, and the highest of all', () => {
  const outcome = new ReplayOutcome(defaultLanPrefixes);
  const note = (sketch: WindowSketch): void => {
    const { prediction, context } = scoredWindow(sketch);
    outcome.notePrediction(prediction, context.countsAsEvidence);
  };
  expect(outcome.figures).toMatchObject({ devices: 0, highest: null, threshold: null, attacked: [] });
  note({ at: 1, says: 'benign', device: '192.168.1.7', flows: [{}, {}] });
  note({ at: 2, says: 'port_scan', score: 0.8, flows: [{}] });
  note({ at: 3, says: 'slow_rate', score: 0.9, flows: [{}, {}, {}], countsAsEvidence: false });
  note({ at: 4, says: 'port_scan', score: 0.7, flows: [{}] });
  expect(outcome.figures).toMatchObject({
    devices: 2,
    highest: { score: 0.9, device: '192.168.1.20' },
    threshold: 0.5,
    fullest: 3,
    attacked: [{ device: '192.168.1.20', windows: 3, counted: 2, attack: 'slow_rate', score: 0.9 }],
    outside: null,
  });
});

test('flows without an end in the LAN are counted once, with the address that most of them share', () => {
  const outcome = new ReplayOutcome(defaultLanPrefixes);
  const registry = new DeviceRegistry();
  const batch = flowBatchOf([
    { src: '147.32.80.37', dst: '147.32.80.9', flowNumber: 1 },
    { src: '147.32.80.37', dst: '147.32.80.9', flowNumber: 1, reportNumber: 1 },
    { src: '147.32.80.37', dst: '198.51.100.7', flowNumber: 2 },
    { src: '147.32.80.37', dst: '192.168.1.20', flowNumber: 3 },
    { src: '192.168.1.20', dst: '198.51.100.7', flowNumber: 4 },
  ]);
  for (let row = 0; row < batch.count; row++)
    for (const role of registry.attribute(batch, row)) outcome.noteFlow(batch, row, role);
  expect(outcome.figures.outside).toEqual({ flows: 2, busiest: '147.32.80.37' });
});
