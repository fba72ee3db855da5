/** An attack that pauses is told once: the same alert goes on, and says that it came back. */
import type { Alert } from '@picket/shared/contract/alert';
import { BootId, newId } from '@picket/shared/contract/identifiers';
import { returnsWithinUs } from '@picket/shared/policy/alert-times';
import { expect, test } from 'vitest';
import { scoredWindow, sketchStartUs, type WindowSketch } from '../testing/scored-windows.ts';
import { VerdictRun, outcome, rule } from '../testing/verdict-run.ts';
import { Verdicts } from './decide-verdicts.ts';

const minutes = (count: number): number => count * 60;
const hour = returnsWithinUs / 1e6;
const atOnce = rule({ min_windows: 1, of_windows: 1 });
const scan = (at: number, changes: Partial<WindowSketch> = {}): WindowSketch => ({ at, says: 'port_scan', ...changes });
const idsOf = (alerts: readonly Alert[]): number => new Set(alerts.map(({ id }) => id)).size;

test('an attack that comes back within an hour goes on with its alert and says so, each time', () => {
  const run = new VerdictRun(atOnce).see(scan(0), scan(minutes(23)), scan(minutes(23) + 2), scan(minutes(70)));
  expect(idsOf(run.alerts)).toBe(1);
  expect(run.alerts.map(({ revision, count, returns }) => [revision, count, returns])).toEqual([
    [0, 1, 0],
    [1, 2, 1],
    [2, 3, 1],
    [3, 4, 2],
  ]);
  const parties = 'Port scan by 203.0.113.9 against 192.168.1.20, score 0.97';
  expect(run.alerts.map(({ message }) => message)).toEqual([
    `${parties} in one window.`,
    `${parties} in 2 windows, again after 23 min of quiet, for the 2nd time.`,
    `${parties} in 3 windows, again after 23 min of quiet, for the 2nd time.`,
    `${parties} in 4 windows, again after 47 min of quiet, for the 3rd time.`,
  ]);
  const [first, last] = [run.alerts[0]!, run.alerts.at(-1)!];
  expect(last).toMatchObject({ first_seen_at: first.first_seen_at, alert_type: 'threshold_breach' });
  expect(Date.parse(last.last_seen_at) - Date.parse(first.last_seen_at)).toBe(minutes(70) * 1000);
});

test('five minutes are no return, and after more than an hour it is another alert', () => {
  const paused = (seconds: number): readonly Alert[] => new VerdictRun(atOnce).see(scan(0), scan(seconds)).alerts;
  const told = [299, 300, 301, hour, hour + 1].map((seconds) => {
    const alerts = paused(seconds);
    return [seconds, idsOf(alerts), alerts.at(-1)?.returns];
  });
  expect(told).toEqual([
    [299, 1, 0],
    [300, 1, 0],
    [301, 1, 1],
    [hour, 1, 1],
    [hour + 1, 2, 0],
  ]);
});

test('the last word comes while it rests, which says nothing more and counts as no attack that goes on', () => {
  const run = new VerdictRun(atOnce).see(scan(0), scan(0.5));
  const lastWord = run.verdicts.advance(sketchStartUs + 2e6);
  expect(lastWord.map(({ revision, count }) => [revision, count])).toEqual([[1, 2]]);
  expect(run.verdicts.openEpisodes).toBe(1);
  expect(run.verdicts.advance(sketchStartUs + 400e6)).toEqual([]);
  expect(run.verdicts.openEpisodes).toBe(0);
  expect(run.verdicts.alertOf(lastWord[0]!.id), 'it may come back').toBeDefined();
  expect(run.verdicts.advance(sketchStartUs + 3700e6)).toEqual([]);
  expect(run.verdicts.alertOf(lastWord[0]!.id)).toBeUndefined();
});

test('what proves nothing by itself wakes no alert, and is counted once it is proven', () => {
  const benign = [1, 2, 3].map((at): WindowSketch => ({ at: minutes(at), says: 'benign' }));
  const run = new VerdictRun().see(scan(0), scan(1), ...benign, scan(minutes(20)));
  expect(run.alerts.map(({ count, returns }) => [count, returns])).toEqual([[2, 0]]);
  expect(run.verdicts.openEpisodes).toBe(0);
  run.see(scan(minutes(20) + 1));
  expect(run.alerts.map(({ count, returns }) => [count, returns])).toEqual([
    [2, 0],
    [4, 1],
  ]);
});

test('severity rises with what came back and never falls', () => {
  const scores = [0.75, 0.55, 0.95, 0.6];
  const run = new VerdictRun(atOnce).see(...scores.map((score, index) => scan(minutes(index * 10), { score })));
  expect(run.alerts.map(({ severity, score }) => [severity, score])).toEqual([
    ['high', 0.75],
    ['high', 0.75],
    ['critical', 0.95],
    ['critical', 0.95],
  ]);
});

test('a block that ended is made again under the same alert, longer each time, and the message says only what holds now', () => {
  const escalation = { factor: 4, max_duration_seconds: 100_000, forget_after_seconds: 86_400 };
  const run = new VerdictRun(rule({ min_windows: 1, of_windows: 1, duration_seconds: 600, escalation }));
  run.see(scan(0));
  const blocked = run.verdicts.noteDecision(outcome(run.drafts[0]!, 'applied'));
  expect(blocked.map(({ message }) => message)).toEqual([expect.stringMatching(/in one window: blocked\.$/)]);
  run.verdicts.noteDecision(outcome(run.drafts[0]!, 'expired'));

  run.see(scan(minutes(20)));
  expect(run.drafts.map((draft) => draft.duration_seconds)).toEqual([600, 2400]);
  expect(new Set(run.drafts.map((draft) => draft.alert_id))).toEqual(new Set([run.alerts[0]!.id]));
  expect(run.alerts.at(-1)?.message).toMatch(/for the 2nd time\.$/);
  expect(run.alerts.at(-1), 'what was done about it stays').toMatchObject({ action_taken: 'ip_blocked' });
  const [again] = run.verdicts.noteDecision(outcome(run.drafts[1]!, 'applied'));
  expect(again?.message).toMatch(/for the 2nd time: blocked\.$/);
  expect(again?.decision_ids).toEqual(run.drafts.map(({ id }) => id));
});

test('a block that still holds when it comes back is said at once', () => {
  const run = new VerdictRun(rule({ min_windows: 1, of_windows: 1, duration_seconds: 3000 })).see(scan(0));
  run.verdicts.noteDecision(outcome(run.drafts[0]!, 'applied'));
  run.see(scan(minutes(10)));
  expect(run.drafts).toHaveLength(1);
  expect(run.alerts.at(-1)?.message).toMatch(/again after 10 min of quiet, for the 2nd time: blocked\.$/);
});

test('who is blocked again and again has the latest twenty decisions in the alert', () => {
  const run = new VerdictRun(atOnce).see(...Array.from({ length: 25 }, (_, index) => scan(minutes(index * 15))));
  expect(idsOf(run.alerts)).toBe(1);
  expect(run.drafts).toHaveLength(25);
  const [last] = run.verdicts.noteDecision(outcome(run.drafts[24]!, 'applied'));
  expect(last?.decision_ids).toEqual(run.drafts.slice(5).map(({ id }) => id));
});

test('another device behind the same address, and a clock that was set back, are told anew', () => {
  const macs = ['02:00:00:00:00:01', '02:00:00:00:00:02', null];
  const run = new VerdictRun(atOnce).see(...macs.map((mac, index) => scan(minutes(index * 10), { mac })));
  expect(run.alerts.map(({ revision, returns }) => [revision, returns])).toEqual([
    [0, 0],
    [0, 0],
    [1, 1],
  ]);
  const setBack = new VerdictRun(atOnce).see(scan(minutes(30)), scan(0));
  expect(setBack.alerts.map(({ revision }) => revision)).toEqual([0, 0]);
});

test('an attack of another class is new beside one that runs, not beside one that rests', () => {
  const guess = (at: number): WindowSketch => ({
    at,
    says: 'brute_force_ssh',
    flows: Array.from({ length: 10 }, () => ({ dstPort: 22 })),
  });
  const typesOf = (...sketches: WindowSketch[]): readonly string[] =>
    new VerdictRun(atOnce).see(...sketches).alerts.map((alert) => `${alert.class} ${alert.alert_type}`);
  expect(typesOf(scan(0), guess(60))).toEqual(['port_scan threshold_breach', 'brute_force_ssh new_attack_type']);
  expect(typesOf(scan(0), guess(400))).toEqual(['port_scan threshold_breach', 'brute_force_ssh threshold_breach']);
  expect(typesOf(scan(0), guess(400), scan(401)), 'told before').toEqual([
    'port_scan threshold_breach',
    'brute_force_ssh threshold_breach',
    'port_scan threshold_breach',
  ]);
});

test('those that rest are given up ahead of those that run, and both are counted', () => {
  const verdicts = new Verdicts({ bootId: BootId.parse(newId()), rules: [atOnce], capacity: 4 });
  const see = (at: number, device: string): readonly Alert[] =>
    verdicts.decide(scoredWindow(scan(at, { device }))).alerts;
  const [rested] = see(0, '192.168.1.1');
  for (let host = 2; host <= 4; host++) see(minutes(10) + host, `192.168.1.${host}`);
  const before = verdicts.evicted;
  see(minutes(10) + 5, '192.168.1.5');
  expect(verdicts.evicted).toBeGreaterThan(before);
  expect(verdicts.openEpisodes).toBe(4);
  const anew = see(minutes(11), '192.168.1.1');
  expect(anew.find(({ device }) => device.address === '192.168.1.1')?.id).not.toBe(rested?.id);
});

test('after a storm a quarter of all that are kept may rest, and what is given up is counted', () => {
  const verdicts = new Verdicts({ bootId: BootId.parse(newId()), rules: [atOnce], capacity: 40 });
  const devices = Array.from({ length: 30 }, (_, host) => `192.168.1.${host + 1}`);
  const ids = devices.map((device, at) => verdicts.decide(scoredWindow(scan(at, { device }))).alerts[0]!.id);
  const known = (): number => ids.filter((id) => verdicts.alertOf(id) !== undefined).length;
  verdicts.advance(sketchStartUs + 300e6);
  expect([known(), verdicts.openEpisodes, verdicts.evicted]).toEqual([30, 30, 0]);
  verdicts.advance(sketchStartUs + 315e6);
  expect([known(), verdicts.openEpisodes, verdicts.evicted], 'fifteen run, ten rest').toEqual([25, 15, 5]);
  verdicts.advance(sketchStartUs + 400e6);
  expect([known(), verdicts.openEpisodes, verdicts.evicted]).toEqual([10, 0, 20]);
  expect(verdicts.alertOf(ids.at(-1)!), 'the latest are kept').toBeDefined();
});

test('reasons are asked for again when it comes back, until it has some: whom the evidence points to is found by them', () => {
  const verdicts = new Verdicts({ bootId: BootId.parse(newId()), rules: [atOnce] });
  const explanation = { top_features: [], flow_importance: [], flows: [], normal_of: 'none', summary: 'seen' } as const;
  /** Whether window `at` was worth reasons; it gets some where `explain` says so. */
  const see = (at: number, explain = true): string | undefined => {
    const scored = scoredWindow(scan(at));
    const weighed = verdicts.weigh(scored);
    const isExplained = weighed.needsReasonsFor !== undefined && explain;
    const reasons = isExplained ? { ...explanation, top_features: [], flow_importance: [], flows: [] } : null;
    verdicts.decide({ ...scored, prediction: { ...scored.prediction, explanation: reasons } }, weighed);
    return weighed.needsReasonsFor;
  };
  expect([see(0), see(10)]).toEqual(['port_scan', undefined]);
  expect(see(minutes(20), false), 'it is back, but the budget is spent').toBe('port_scan');
  expect([see(minutes(20) + 1), see(minutes(20) + 2)]).toEqual(['port_scan', undefined]);
});
