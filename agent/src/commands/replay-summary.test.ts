import { expect, test } from 'vitest';
import { describeSummary, type ReplaySummary } from './replay-summary.ts';

const summary: ReplaySummary = {
  packets: 797,
  flows: 400,
  reports: 0,
  evicted: 0,
  windows: 0,
  predictions: 0,
  attacks: 0,
  alerts: 0,
  drops: 0,
  undecodable: 0,
  seconds: 2,
};

test('that nothing was scored is no clean bill: it is said why, and what to do', () => {
  expect(describeSummary(summary)).toMatch(/^797 packets in 2\.0 s .*\nnothing was scored.*--lan PREFIX/);
  expect(describeSummary({ ...summary, predictions: 1 })).not.toContain('nothing was scored');
  expect(describeSummary({ ...summary, flows: 0 })).not.toContain('nothing was scored');
});
