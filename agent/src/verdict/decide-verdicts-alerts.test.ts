/** What a person is told: one alert an episode, what was done once it was, and why. */
import { BootId, newId } from '@picket/shared/contract/identifiers';
import { expect, test } from 'vitest';
import { scoredWindow, type WindowSketch } from '../testing/scored-windows.ts';
import { VerdictRun, outcome, rule } from '../testing/verdict-run.ts';
import { Verdicts } from './decide-verdicts.ts';

test('an alert says that something was done only after it was, and that it was only simulated', () => {
  const scanned = (): VerdictRun => new VerdictRun().see({ at: 0, says: 'port_scan' }, { at: 1, says: 'port_scan' });
  const run = scanned();
  expect(run.alerts[0]?.message).toBe('Port scan by 203.0.113.9 against 192.168.1.20, score 0.97 in 2 windows.');
  const [draft] = run.drafts;
  const refused = scanned();
  expect(refused.verdicts.noteDecision(outcome(refused.drafts[0]!, 'refused'))).toEqual([]);
  expect(run.verdicts.noteDecision(outcome(draft!, 'failed'))).toEqual([]);
  const [simulated] = run.verdicts.noteDecision(outcome(draft!, 'simulated'));
  expect(simulated).toMatchObject({ revision: 1, action_taken: 'ip_blocked', simulated: true });
  expect(simulated?.message).toContain('blocked (simulated).');
  expect(run.verdicts.noteDecision(outcome(draft!, 'simulated'))).toEqual([]);
});

test('an episode is one alert, updated at most once a second, with what happened meanwhile', () => {
  const run = new VerdictRun();
  for (let ms = 0; ms <= 5000; ms += 250) run.see({ at: ms / 1000, says: 'port_scan', score: ms === 250 ? 0.99 : 0.8 });
  expect(new Set(run.alerts.map((alert) => alert.id)).size).toBe(1);
  expect(run.alerts.map((alert) => [alert.revision, alert.count])).toEqual([
    [0, 2],
    [1, 6],
    [2, 10],
    [3, 14],
    [4, 18],
  ]);
  expect(run.alerts.at(-1)).toMatchObject({ score: 0.99, severity: 'critical', alert_type: 'sustained_attack' });
  expect(run.verdicts.finish().map((alert) => [alert.revision, alert.count])).toEqual([[5, 21]]);
});

test('another class against the same device is an alert of its own', () => {
  const run = new VerdictRun().see({ at: 0, says: 'port_scan' }, { at: 1, says: 'port_scan' });
  const ssh = { says: 'brute_force_ssh', flows: Array.from({ length: 10 }, () => ({ dstPort: 22 })) } as const;
  run.see({ at: 2, ...ssh }, { at: 3, ...ssh }, { at: 4, ...ssh });
  expect(run.alerts.filter((alert) => alert.revision === 0).map((alert) => [alert.class, alert.alert_type])).toEqual([
    ['port_scan', 'sustained_attack'],
    ['brute_force_ssh', 'new_attack_type'],
  ]);
});

test.each([
  ['verified', 1, 'ip_blocked'],
  ['proposed', 1, 'none'],
  ['retracted', 0, 'none'],
] as const)('the next alert whose restriction was %s names %i decisions', (state, names, done) => {
  const run = new VerdictRun(rule({ cooldown_seconds: 0 })).see(
    { at: 0, says: 'port_scan' },
    { at: 1, says: 'port_scan' },
  );
  run.verdicts.noteDecision(outcome(run.drafts[0]!, state));
  const ssh = { says: 'brute_force_ssh', flows: Array.from({ length: 10 }, () => ({ dstPort: 22 })) } as const;
  run.see({ at: 2, ...ssh }, { at: 3, ...ssh }, { at: 4, ...ssh });
  const next = [...run.alerts, ...run.verdicts.finish()].findLast((alert) => alert.class === 'brute_force_ssh');
  expect(run.drafts, 'asked for once').toHaveLength(1);
  expect(next?.decision_ids).toHaveLength(names);
  expect(next?.action_taken).toBe(done);
});

test('reasons are asked for once per alert: when it opens, and again only while it has none', () => {
  const verdicts = new Verdicts({ bootId: BootId.parse(newId()), rules: [rule()] });
  const reasons = { top_features: [], flow_importance: [], flows: [], normal_of: 'none', summary: 'seen' } as const;
  /** Whether window `at` was worth an explanation; it gets one where `explain` says so. */
  const see = (at: number, says: WindowSketch['says'], explain = true): string | undefined => {
    const scored = scoredWindow({ at, says });
    const weighed = verdicts.weigh(scored);
    const explanation =
      weighed.needsReasonsFor !== undefined && explain
        ? { ...reasons, top_features: [], flow_importance: [], flows: [] }
        : null;
    verdicts.decide({ ...scored, prediction: { ...scored.prediction, explanation } }, weighed);
    return weighed.needsReasonsFor;
  };
  expect(see(0, 'benign')).toBeUndefined();
  expect(see(1, 'port_scan'), 'nothing is proven yet').toBeUndefined();
  expect(see(2, 'port_scan', false), 'opens the alert, but the budget is spent').toBe('port_scan');
  expect(see(3, 'port_scan')).toBe('port_scan');
  for (let at = 4; at < 50; at++) expect(see(at, 'port_scan')).toBeUndefined();
  expect(see(51, 'ddos_flood')).toBeUndefined();
  expect(see(52, 'ddos_flood'), 'another alert').toBe('ddos_flood');
});
