import { expect, test } from 'vitest';
import { describeProgress } from './progress-line.ts';

const mib = 1_048_576;

test('a file: bytes of all, packets, flows, rate and the time that is left', () => {
  const state = { bytesRead: 256 * mib, totalBytes: 1024 * mib, packets: 1_234_567, flows: 8901 };
  expect(describeProgress(state, 20)).toBe(
    '256.0 of 1024.0 MiB (25 %), 1:00 left, 1,234,567 packets, 8,901 flows, 61,728 packets/s',
  );
  expect(describeProgress({ ...state, bytesRead: mib }, 10)).toMatch(/, 2:50:30 left, /);
});

test('a pipe: nobody knows what is left', () => {
  const state = { bytesRead: 3 * mib, totalBytes: undefined, packets: 10, flows: 2 };
  expect(describeProgress(state, 2)).toBe('3.0 MiB, 10 packets, 2 flows, 5 packets/s');
});

test('nothing was read yet', () => {
  const state = { bytesRead: 0, totalBytes: 0, packets: 0, flows: 0 };
  expect(describeProgress(state, 0)).toBe('0.0 of 0.0 MiB (0 %), 0 packets, 0 flows, 0 packets/s');
});
