import { expect, test } from 'vitest';
import { contextColumn, contextFeatures } from './context-features.ts';
import { features } from './feature-schema.ts';
import { flowContextWidth, writeFlowContext } from './flow-context.ts';
import {
  aspectOf,
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

test('every feature, and every reason beside them, is about something', () => {
  const names = [...features, ...contextFeatures].map(({ name }) => name);
  const aspects = Map.groupBy(names, aspectOf);
  expect([...aspects.keys()].sort()).toEqual([
    'TCP flags',
    'TCP windows',
    'headers',
    'how many conversations there were lately',
    'how much was sent and answered',
    'how new the conversations and their peers are',
    'payload sizes',
    'rates',
    'timing',
    'what is asked for',
  ]);
  expect(aspects.get('payload sizes')).toHaveLength(16);
  expect(aspects.get('TCP flags')).toHaveLength(12);
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
  const { recentOfDevice, recentOfPeer, peerKnown, deviceKnown } = contextColumn;
  const row = written.subarray(9 * flowContextWidth);
  expect([recentOfDevice, recentOfPeer, peerKnown, deviceKnown].map((column) => row[column])).toEqual([2, 3, 4, 5]);
  const reasons = [recentOfDevice, recentOfPeer, peerKnown].map((column) => contextFeatures[column]!);
  for (const { name, unit } of [contextFeatures[0]!, ...reasons]) {
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
  expect(valueInWords(8855, 'bytes^2')).toBe('8,855 bytes²');
  expect(valueInWords(0, 'count')).toBe('0');
  expect([300, 7199, 7200, 45_000, 172_799, 172_800, 259_200, 864_000].map(durationInWords)).toEqual([
    '5 min',
    '120 min',
    '2 h',
    '13 h',
    '48 h',
    '2 days',
    '3 days',
    '10 days',
  ]);
  expect(valueInWords(8080, 'port')).toBe('8080');
  expect(valueInWords(-1, 'bytes')).toBe('none');
  expect([0, 0.000_9, 0.001].map((seconds) => valueInWords(seconds, 's'))).toEqual([
    'under 1 ms',
    'under 1 ms',
    '1 ms',
  ]);
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
