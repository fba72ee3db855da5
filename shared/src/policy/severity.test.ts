import { expect, test } from 'vitest';
import { reachesThreshold, severityOf } from './severity.ts';

test('an alert reaches a threshold by its score, or because it is graver than its score', () => {
  for (const score of [0, 0.3, 0.5, 0.7, 0.9, 0.97]) {
    const severity = severityOf(score);
    expect(reachesThreshold({ score, severity }, score)).toBe(true);
    expect(reachesThreshold({ score, severity }, 0.98), `the network says ${score}`).toBe(false);
  }
  expect(reachesThreshold({ score: 0.3, severity: 'critical' }, 0.98), 'plain').toBe(true);
  expect(reachesThreshold({ score: 0.95, severity: 'high' }, 0.98), 'milder than its score').toBe(false);
});
