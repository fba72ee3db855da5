import { expect, test } from 'vitest';
import { reachesThreshold, severityOf } from './severity.ts';

test('an alert reaches a threshold by its score, or because it is plain, or graver than its score', () => {
  for (const score of [0, 0.3, 0.5, 0.7, 0.9, 0.97]) {
    const alert = { score, severity: severityOf(score), is_plain: false };
    expect(reachesThreshold(alert, score)).toBe(true);
    expect(reachesThreshold(alert, 0.98), `the network says ${score}`).toBe(false);
    expect(reachesThreshold({ ...alert, severity: 'critical', is_plain: true }, 0.98), `plain at ${score}`).toBe(true);
  }
  const unsaid = { is_plain: false };
  expect(reachesThreshold({ ...unsaid, score: 0.3, severity: 'critical' }, 0.98), 'of an older agent').toBe(true);
  expect(reachesThreshold({ ...unsaid, score: 0.95, severity: 'high' }, 0.98), 'milder than its score').toBe(false);
});
