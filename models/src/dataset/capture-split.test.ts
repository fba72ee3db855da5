import { expect, test } from 'vitest';
import type { Part, WindowSequence } from './flow-rows.ts';
import { requireLeftOut, splitForTraining, splitOfRecord, usualSplit } from './capture-split.ts';

const types = usualSplit.sources.flatMap(({ name, device_types: parts }) =>
  Object.entries(parts).flatMap(([part, names]) => names.map((type) => ({ source: name, type, part }))),
);

test('the manifest names each device type once, and every part has some', () => {
  expect(new Set(types.map(({ type }) => type)).size).toBe(types.length);
  expect(new Set(types.map(({ part }) => part))).toEqual(new Set(['train', 'validation', 'test']));
  const split = splitForTraining(usualSplit);
  for (const { source, type, part } of types) {
    expect(split.sourceOf(type)).toBe(source);
    expect(split.partOf(source, type)).toBe(part);
  }
});

test('two exemplars of one type are on the same side', () => {
  const split = splitForTraining(usualSplit);
  for (const [one, other] of [
    ['EdimaxCam1', 'EdimaxCam2'],
    ['EdnetCam1', 'EdnetCam2'],
    ['WeMoSwitch', 'WeMoSwitch2'],
  ] as const) {
    expect(split.partOf('iot-sentinel', one)).toBe(split.partOf('iot-sentinel', other));
  }
});

test('what the manifest does not name goes by its name, always to the same part', () => {
  const split = splitForTraining(usualSplit);
  const names = Array.from({ length: 2000 }, (_, index) => `type ${index}`);
  const parts = names.map((name) => split.partOf('mine', name));
  const share = (part: string): number => parts.filter((one) => one === part).length / names.length;
  expect(share('train')).toBeCloseTo(0.45, 1);
  expect(share('validation')).toBeCloseTo(0.15, 1);
  expect(names.map((name) => splitForTraining(usualSplit).partOf('yours', name))).toEqual(parts);
  expect(split.sourceOf('type 1')).toBeUndefined();
});

test('a source that is left out is left out whole', () => {
  const split = splitForTraining(usualSplit, ['iot-sentinel']);
  expect(types.every(({ source, type }) => split.partOf(source, type) === 'test')).toBe(true);
});

test('a source that is not there, or is not kept aside, is not left out in silence', () => {
  const sequence = (source: string, part: Part): WindowSequence => ({
    source,
    group: 'one',
    capture: 'one',
    device: '10.0.0.2',
    part,
    windows: new Int32Array(),
    atUs: new Float64Array(),
    counts: new Uint8Array(),
  });
  const sequences = [sequence('kept', 'test'), sequence('packed', 'test'), sequence('packed', 'train')];
  expect(() => requireLeftOut({ sequences }, 'kept')).not.toThrow();
  expect(() => requireLeftOut({ sequences }, 'packed')).toThrow(/packed.*give its captures/);
  expect(() => requireLeftOut({ sequences }, 'nowhere')).toThrow(/nowhere.*no capture/);
});

test('what a training had is what its record says, whatever the manifest says by now', () => {
  const data = [{ source: 'iot-sentinel', part: 'train', groups: ['D-LinkHomeHub'] }];
  const split = splitOfRecord(usualSplit, data);
  expect(split.partOf('iot-sentinel', 'D-LinkHomeHub')).toBe('train');
  expect(split.partOf('iot-sentinel', 'HueSwitch')).toBe('test');
  expect(split.partOf('mine', 'D-LinkHomeHub')).toBe('test');
});
