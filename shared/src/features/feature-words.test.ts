import { expect, test } from 'vitest';
import { contextColumn, contextFeatures } from './context-features.ts';
import { features } from './feature-schema.ts';
import { flowContextWidth, writeFlowContext } from './flow-context.ts';
import {
  bytesInWords,
  durationInWords,
  numberInWords,
  withinInWords,
  unitOf,
  valueInWords,
  wordsOf,
} from './feature-words.ts';

test('every feature has words, and none of them is its name', () => {
  for (const { name, unit } of features) {
    expect(wordsOf(name)).not.toBe(name);
    expect(wordsOf(name).length).toBeLessThan(100);
    expect(unitOf(name)).toBe(unit === 'ratio' ? '' : unit);
  }
  expect(wordsOf('a feature of another schema')).toBe('a feature of another schema');
});

test('every number of the context has a name, the one under which it is written', () => {
  expect(contextFeatures).toHaveLength(flowContextWidth);
  const written = new Float32Array(10 * flowContextWidth);
  const flow = {
    ageSeconds: 1,
    peer: 0,
    direction: 0,
    recentOfDevice: 2,
    recentOfPeer: 3,
    peerKnownSeconds: 4,
    deviceKnownSeconds: 5,
  };
  writeFlowContext([flow], written, 0);
  const { age, recentOfDevice, recentOfPeer, peerKnown, deviceKnown } = contextColumn;
  const row = written.subarray(9 * flowContextWidth);
  expect([age, recentOfDevice, recentOfPeer, peerKnown, deviceKnown].map((column) => row[column])).toEqual([
    1, 2, 3, 4, 5,
  ]);
  for (const column of [age, recentOfDevice, recentOfPeer, peerKnown]) {
    const { name, unit } = contextFeatures[column]!;
    expect(wordsOf(name)).not.toBe(name);
    expect(unitOf(name)).toBe(unit);
    expect(features.map((feature) => feature.name)).not.toContain(name);
  }
});

test('values are told as people would', () => {
  expect(valueInWords(30_000, 'us')).toBe('30 ms');
  expect(valueInWords(40, 'us')).toBe('40 µs');
  expect(valueInWords(1_500_000, 'us')).toBe('1.5 s');
  expect(valueInWords(0.25, 's')).toBe('250 ms');
  expect(valueInWords(1, 'bytes')).toBe('1 byte');
  expect(valueInWords(1_234_567, 'bytes/s')).toBe('1.2 MB/s');
  expect(valueInWords(50_000, 'packets/s')).toBe('50,000 packets/s');
  expect(valueInWords(0, 'count')).toBe('0');
  expect(durationInWords(300)).toBe('5 min');
  expect(bytesInWords(9999)).toBe('9,999 bytes');
  expect(numberInWords(0.123)).toBe('0.12');
  expect([0, 0.000_099, 0.000_999, 0.001, 0.25, 3].map(withinInWords)).toEqual([
    '',
    ' within a millisecond',
    ' within a millisecond',
    ' within 1 ms',
    ' within 250 ms',
    ' within 3 s',
  ]);
});
