/** What proves a rule: how many windows of which kind, as sure as it asks. */
import { Decision } from '@picket/shared/contract/decision';
import { BootId, RuleId, newId } from '@picket/shared/contract/identifiers';
import type { Rule } from '@picket/shared/contract/rule';
import { expect, test } from 'vitest';
import { scoredWindow, type WindowSketch } from '../testing/scored-windows.ts';
import { VerdictRun, outcome, rule } from '../testing/verdict-run.ts';
import { Verdicts } from './decide-verdicts.ts';

test('one window alone neither alerts nor restricts; N of the last M do', () => {
  const run = new VerdictRun();
  run.see({ at: 0, says: 'port_scan' });
  expect([run.alerts, run.drafts]).toEqual([[], []]);
  run.see({ at: 1, says: 'benign' }, { at: 2, says: 'port_scan' });
  expect(run.alerts).toHaveLength(1);
  expect(run.drafts).toHaveLength(1);
  expect(run.drafts[0]).toMatchObject({
    action: 'block',
    scope: 'ip',
    value: '203.0.113.9',
    origin: 'model',
    scenario: 'port_scan',
    mode: 'enforce',
    duration_seconds: 600,
    is_forgeable: true,
    alert_id: run.alerts[0]?.id,
  });
  expect(Decision.safeParse(outcome(run.drafts[0]!, 'applied').decision).success).toBe(true);
});

test.each<[string, readonly WindowSketch[]]>([
  [
    'hits too far apart',
    [
      { at: 0, says: 'port_scan' },
      { at: 1, says: 'benign' },
      { at: 2, says: 'benign' },
      { at: 3, says: 'port_scan' },
    ],
  ],
  ['windows that share their flows', [0, 1, 2].map((at) => ({ at, says: 'port_scan', countsAsEvidence: at === 0 }))],
  ['windows of too few flows', [0, 1, 2].map((at) => ({ at, says: 'port_scan', flows: [{}, {}] }))],
  [
    'a hit of an hour ago',
    [
      { at: 0, says: 'port_scan' },
      { at: 3601, says: 'port_scan' },
    ],
  ],
  [
    'hits of different devices',
    [
      { at: 0, says: 'port_scan' },
      { at: 1, says: 'port_scan', device: '192.168.1.21' },
    ],
  ],
  ['scores below the threshold', [0, 1, 2].map((at) => ({ at, says: 'port_scan', score: 0.49 }))],
])('%s prove nothing', (_, sketches) => {
  const run = new VerdictRun().see(...sketches);
  expect([run.alerts, run.drafts]).toEqual([[], []]);
});

test('a threshold of the rule counts instead of that of the window', () => {
  const windows = [0, 1, 2].map((at): WindowSketch => ({ at, says: 'port_scan', score: 0.4 }));
  expect(new VerdictRun(rule({ threshold: 0.3 })).see(...windows).drafts).toHaveLength(1);
  expect(
    new VerdictRun(rule({ threshold: 0.99 })).see({ at: 0, says: 'port_scan' }, { at: 1, says: 'port_scan' }).alerts,
  ).toEqual([]);
});

test('a window as sure as a rule in force asks for itself is evidence, though the network calls it benign', () => {
  const window = scoredWindow({ at: 0, says: 'port_scan', score: 0.43 });
  const isEvidence = (changes: Partial<Rule>): boolean =>
    new VerdictRun(rule(changes)).verdicts.weigh(window).isEvidence;
  expect(isEvidence({ threshold: 0.4 })).toBe(true);
  expect([{}, { threshold: 0.45 }, { threshold: 0.4, is_enabled: false }].map(isEvidence)).toEqual([
    false,
    false,
    false,
  ]);
});

test('a rule speaks only of its classes and its device, and only while it is enabled', () => {
  const scans = [0, 1, 2].map((at): WindowSketch => ({ at, says: 'port_scan', mac: '02:00:00:00:00:20' }));
  const drafts = (changes: Partial<Rule>): number => new VerdictRun(rule(changes)).see(...scans).drafts.length;
  expect(drafts({ classes: ['port_scan'] })).toBe(1);
  expect(drafts({ classes: ['ddos_flood'] })).toBe(0);
  expect(drafts({ device: '192.168.1.20' })).toBe(1);
  expect(drafts({ device: '02:00:00:00:00:20' })).toBe(1);
  expect(drafts({ device: '192.168.1.21' })).toBe(0);
  expect(drafts({ is_enabled: false })).toBe(0);
});

test('alert_only alerts and restricts nothing, and a later rule may still act', () => {
  const scans = [0, 1].map((at): WindowSketch => ({ at, says: 'port_scan' }));
  const quiet = new VerdictRun(rule({ action: 'alert_only' })).see(...scans);
  expect([quiet.alerts.length, quiet.drafts.length]).toEqual([1, 0]);
  const both = new VerdictRun(
    rule({ action: 'alert_only' }),
    rule({ id: RuleId.parse('019a0000-0000-7000-8000-00000000000b'), mode: 'simulate' }),
  ).see(...scans);
  expect(both.drafts.map((draft) => draft.mode)).toEqual(['simulate']);
});

test('the memory of verdicts is bounded and what is forgotten is counted', () => {
  const verdicts = new Verdicts({
    bootId: BootId.parse(newId()),
    rules: [rule({ min_windows: 1, of_windows: 1 })],
    capacity: 10,
  });
  for (let host = 0; host < 100; host++) {
    verdicts.decide(scoredWindow({ at: host / 10, says: 'port_scan', device: `192.168.1.${host}` }));
  }
  expect(verdicts.openEpisodes).toBe(10);
  expect(verdicts.evicted).toBeGreaterThanOrEqual(180);
});
