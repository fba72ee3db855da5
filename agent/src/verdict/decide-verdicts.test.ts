import { Alert } from '@picket/shared/contract/alert';
import { Decision, type DecisionEvent, type DecisionState } from '@picket/shared/contract/decision';
import { BootId, RuleId, newId } from '@picket/shared/contract/identifiers';
import type { Rule } from '@picket/shared/contract/rule';
import { expect, test } from 'vitest';
import { scoredWindow, sketchStartUs, type WindowSketch } from '../testing/scored-windows.ts';
import type { DecisionDraft } from './decision-draft.ts';
import { Verdicts } from './decide-verdicts.ts';

const bootId = BootId.parse(newId());

function rule(changes: Partial<Rule> = {}): Rule {
  return {
    id: RuleId.parse('019a0000-0000-7000-8000-00000000000a'),
    name: 'test rule',
    is_enabled: true,
    threshold: null,
    classes: [],
    device: null,
    devices: [],
    action: 'block',
    device_ladder: [],
    direction: null,
    min_windows: 2,
    of_windows: 3,
    min_flows: 3,
    cooldown_seconds: 60,
    duration_seconds: 600,
    escalation: null,
    schedule: null,
    mode: null,
    ...changes,
  };
}

/** Decides one window after the other. */
class Run {
  readonly verdicts: Verdicts;
  readonly alerts: Alert[] = [];
  readonly drafts: DecisionDraft[] = [];

  constructor(...rules: readonly Rule[]) {
    this.verdicts = new Verdicts({ bootId, rules: rules.length > 0 ? rules : [rule()] });
  }

  see(...sketches: readonly WindowSketch[]): this {
    for (const sketch of sketches) {
      const { alerts, drafts } = this.verdicts.decide(scoredWindow(sketch));
      this.alerts.push(...alerts.map((alert) => Alert.parse(alert)));
      this.drafts.push(...drafts);
    }
    return this;
  }
}

function outcome(draft: DecisionDraft, state: DecisionState): DecisionEvent {
  const { duration_seconds: _, is_forgeable: __, ...decision } = draft;
  return {
    decision: { ...decision, created_at: '2026-01-01T00:00:00.000Z', expires_at: '2026-01-01T01:00:00.000Z' },
    state,
    at: '2026-01-01T00:00:00.000Z',
    detail: null,
  };
}

test('one window alone neither alerts nor restricts; N of the last M do', () => {
  const run = new Run();
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
  const run = new Run().see(...sketches);
  expect([run.alerts, run.drafts]).toEqual([[], []]);
});

test('a threshold of the rule counts instead of that of the window', () => {
  const windows = [0, 1, 2].map((at): WindowSketch => ({ at, says: 'port_scan', score: 0.4 }));
  expect(new Run(rule({ threshold: 0.3 })).see(...windows).drafts).toHaveLength(1);
  expect(
    new Run(rule({ threshold: 0.99 })).see({ at: 0, says: 'port_scan' }, { at: 1, says: 'port_scan' }).alerts,
  ).toEqual([]);
});

test('a window as sure as a rule in force asks for itself is evidence, though the network calls it benign', () => {
  const window = scoredWindow({ at: 0, says: 'port_scan', score: 0.43 });
  const isEvidence = (changes: Partial<Rule>): boolean => new Run(rule(changes)).verdicts.weigh(window).isEvidence;
  expect(isEvidence({ threshold: 0.4 })).toBe(true);
  expect([{}, { threshold: 0.45 }, { threshold: 0.4, is_enabled: false }].map(isEvidence)).toEqual([
    false,
    false,
    false,
  ]);
});

test('a rule speaks only of its classes and its device, and only while it is enabled', () => {
  const scans = [0, 1, 2].map((at): WindowSketch => ({ at, says: 'port_scan', mac: '02:00:00:00:00:20' }));
  const drafts = (changes: Partial<Rule>): number => new Run(rule(changes)).see(...scans).drafts.length;
  expect(drafts({ classes: ['port_scan'] })).toBe(1);
  expect(drafts({ classes: ['ddos_flood'] })).toBe(0);
  expect(drafts({ device: '192.168.1.20' })).toBe(1);
  expect(drafts({ device: '02:00:00:00:00:20' })).toBe(1);
  expect(drafts({ device: '192.168.1.21' })).toBe(0);
  expect(drafts({ is_enabled: false })).toBe(0);
});

test('alert_only alerts and restricts nothing, and a later rule may still act', () => {
  const scans = [0, 1].map((at): WindowSketch => ({ at, says: 'port_scan' }));
  const quiet = new Run(rule({ action: 'alert_only' })).see(...scans);
  expect([quiet.alerts.length, quiet.drafts.length]).toEqual([1, 0]);
  const both = new Run(
    rule({ action: 'alert_only' }),
    rule({ id: RuleId.parse('019a0000-0000-7000-8000-00000000000b'), mode: 'simulate' }),
  ).see(...scans);
  expect(both.drafts.map((draft) => draft.mode)).toEqual(['simulate']);
});

test('after it fired, a rule rests for this device and peer, but not for another peer', () => {
  const scan = (at: number, srcIp: string): WindowSketch => ({
    at,
    says: 'port_scan',
    flows: Array.from({ length: 10 }, () => ({ srcIp })),
  });
  const run = new Run(rule({ cooldown_seconds: 60, duration_seconds: 10 }));
  run.see(scan(0, '203.0.113.9'), scan(1, '203.0.113.9'), scan(50, '203.0.113.9'));
  expect(run.drafts.map((draft) => draft.value)).toEqual(['203.0.113.9']);
  run.see(scan(51, '203.0.113.10'));
  expect(run.drafts.map((draft) => draft.value)).toEqual(['203.0.113.9', '203.0.113.10']);
  run.see(scan(62, '203.0.113.9'));
  expect(run.drafts.map((draft) => draft.value)).toEqual(['203.0.113.9', '203.0.113.10', '203.0.113.9']);
});

test('one attacker of many devices makes one decision, which every alert names and learns the outcome of', () => {
  const run = new Run();
  for (const device of ['192.168.1.20', '192.168.1.21']) {
    run.see({ at: 0, says: 'port_scan', device }, { at: 1, says: 'port_scan', device });
  }
  expect(run.drafts).toHaveLength(1);
  expect(run.alerts.map((alert) => alert.decision_ids)).toEqual([[run.drafts[0]?.id], [run.drafts[0]?.id]]);
  const told = run.verdicts.noteDecision(outcome(run.drafts[0]!, 'applied'));
  expect(told.map((alert) => [alert.device.address, alert.revision, alert.action_taken, alert.simulated])).toEqual([
    ['192.168.1.20', 1, 'ip_blocked', false],
    ['192.168.1.21', 1, 'ip_blocked', false],
  ]);
  run.see({ at: 2, says: 'port_scan', device: '192.168.1.22' }, { at: 3, says: 'port_scan', device: '192.168.1.22' });
  expect(run.alerts.at(-1)).toMatchObject({ device: { address: '192.168.1.22' }, action_taken: 'ip_blocked' });
});

test('an attacker that was only counted is decided on again once a policy may enforce, and not while it is blocked', () => {
  const run = new Run();
  run.see({ at: 0, says: 'port_scan' }, { at: 1, says: 'port_scan' });
  const onPaper = outcome(run.drafts[0]!, 'simulated');
  run.verdicts.noteDecision({ ...onPaper, decision: { ...onPaper.decision, mode: 'simulate' } });
  run.verdicts.useRules([rule()]);
  run.see({ at: 100, says: 'port_scan' });
  expect(run.drafts.map(({ value }) => value)).toEqual(['203.0.113.9', '203.0.113.9']);
  run.verdicts.noteDecision(outcome(run.drafts[1]!, 'verified'));
  run.verdicts.useRules([rule()]);
  run.see({ at: 200, says: 'port_scan' });
  expect(run.drafts).toHaveLength(2);
});

test('an alert says that something was done only after it was, and that it was only simulated', () => {
  const run = new Run().see({ at: 0, says: 'port_scan' }, { at: 1, says: 'port_scan' });
  expect(run.alerts[0]?.message).toBe('Port scan by 203.0.113.9 against 192.168.1.20, score 0.97 in 2 windows.');
  const [draft] = run.drafts;
  expect(run.verdicts.noteDecision(outcome(draft!, 'refused'))).toEqual([]);
  expect(run.verdicts.noteDecision(outcome(draft!, 'failed'))).toEqual([]);
  const [simulated] = run.verdicts.noteDecision(outcome(draft!, 'simulated'));
  expect(simulated).toMatchObject({ revision: 1, action_taken: 'ip_blocked', simulated: true });
  expect(simulated?.message).toContain('blocked (simulated).');
  expect(run.verdicts.noteDecision(outcome(draft!, 'simulated'))).toEqual([]);
});

test('an episode is one alert, updated at most once a second, with what happened meanwhile', () => {
  const run = new Run();
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

test('an attack that comes back after five quiet minutes is a new alert', () => {
  const run = new Run(rule({ min_windows: 1, of_windows: 1 }));
  run.see({ at: 0, says: 'port_scan' }, { at: 299, says: 'port_scan' }, { at: 600, says: 'port_scan' });
  expect(run.alerts.map((alert) => [alert.revision, alert.alert_type])).toEqual([
    [0, 'threshold_breach'],
    [1, 'threshold_breach'],
    [0, 'threshold_breach'],
  ]);
  expect(run.verdicts.openEpisodes).toBe(1);
  run.verdicts.advance(sketchStartUs + 1000e6);
  expect(run.verdicts.openEpisodes).toBe(0);
});

test('another class against the same device is an alert of its own', () => {
  const run = new Run().see({ at: 0, says: 'port_scan' }, { at: 1, says: 'port_scan' });
  const ssh = { says: 'brute_force_ssh', flows: Array.from({ length: 10 }, () => ({ dstPort: 22 })) } as const;
  run.see({ at: 2, ...ssh }, { at: 3, ...ssh }, { at: 4, ...ssh });
  expect(run.alerts.filter((alert) => alert.revision === 0).map((alert) => [alert.class, alert.alert_type])).toEqual([
    ['port_scan', 'sustained_attack'],
    ['brute_force_ssh', 'new_attack_type'],
  ]);
});

test.each<[string, Rule['action'], Partial<WindowSketch>, object]>([
  ['an outside attacker', 'block', {}, { action: 'block', scope: 'ip', value: '203.0.113.9', direction: 'both' }],
  ['an outside attacker', 'rate_limit', {}, { action: 'rate_limit', scope: 'ip', value: '203.0.113.9' }],
  ['an outside attacker', 'quarantine', {}, { action: 'block', scope: 'ip', value: '203.0.113.9' }],
  [
    'a beacon',
    'block',
    { says: 'botnet_beacon', flows: outbound(['198.51.100.66', '198.51.100.66']) },
    { action: 'block', scope: 'pair', value: '198.51.100.66 192.168.1.20', direction: 'both' },
  ],
  [
    'a beacon',
    'quarantine',
    { says: 'botnet_beacon', flows: outbound(['198.51.100.66', '198.51.100.66']), mac: '02:00:00:00:00:20' },
    { action: 'quarantine', scope: 'device', value: '02:00:00:00:00:20' },
  ],
  [
    'a device that scans',
    'block',
    { flows: outbound(['198.51.100.1', '198.51.100.2', '198.51.100.3', '198.51.100.4']) },
    { action: 'block', scope: 'ip', value: '192.168.1.20', direction: 'from' },
  ],
  [
    'a forged flood',
    'block',
    {
      says: 'ddos_flood',
      flows: Array.from({ length: 10 }, (_, host) => ({ srcIp: `203.0.113.${host}`, dstPort: 80 })),
    },
    { action: 'rate_limit', scope: 'ip+port', value: '192.168.1.20 tcp/80', direction: 'to' },
  ],
])('%s under a rule to %s', (_, action, sketch, draft) => {
  const window = { says: 'port_scan', ...sketch } as const;
  const run = new Run(rule({ action })).see({ at: 0, ...window }, { at: 1, ...window });
  expect(run.drafts).toHaveLength(1);
  expect(run.drafts[0]).toMatchObject(draft);
});

function outbound(peers: readonly string[]): NonNullable<WindowSketch['flows']> {
  return peers.flatMap((dstIp) => [
    { srcIp: '192.168.1.20', dstIp, direction: 'outbound' },
    { srcIp: '192.168.1.20', dstIp, direction: 'outbound' },
  ]);
}

test('a conversation that two MACs carry on under one address is cut, and the reason blames neither', () => {
  const flow = { srcIp: '192.168.1.20', dstIp: '198.51.100.66', direction: 'outbound' } as const;
  const flows = ['02:00:00:00:00:30', '02:00:00:00:00:66'].flatMap((srcMac) =>
    Array.from({ length: 4 }, () => ({ ...flow, srcMac })),
  );
  const run = new Run(rule({ action: 'quarantine' }));
  run.see(...[0, 1].map((at): WindowSketch => ({ at, says: 'botnet_beacon', flows, mac: '02:00:00:00:00:66' })));
  expect(run.drafts).toMatchObject([{ action: 'block', scope: 'pair', value: '198.51.100.66 192.168.1.20' }]);
  expect(run.drafts[0]?.reason).toContain('several MACs sent it under this address, and none of them is blamed');
  expect(run.alerts.at(-1)?.message).toContain('or in its name');
});

test('what is plain from its flows is decided without the network, and says so', () => {
  const forged = Array.from({ length: 10 }, (_, index) => ({ srcIp: `203.0.${index}.9`, dstPort: 80, synPackets: 2 }));
  const run = new Run();
  run.see(...[0, 1].map((at): WindowSketch => ({ at, says: 'benign', score: 0.3, flows: forged })));
  expect(run.alerts).toHaveLength(1);
  expect(run.alerts[0]).toMatchObject({ class: 'ddos_flood', severity: 'critical', score: 0.3, peer: null });
  expect(run.alerts[0]?.message).toContain('plain from its flows in 2 windows');
  expect(run.drafts).toHaveLength(1);
  expect(run.drafts[0]).toMatchObject({
    origin: 'rule',
    scenario: 'ddos_flood',
    action: 'rate_limit',
    value: '192.168.1.20 tcp/80',
  });
  expect(run.drafts[0]?.reason).toContain('8 sources knocked on tcp/80 within 0 ms and left it half-open');
  expect(run.drafts[0]?.reason).toContain("the network's score 0.30");
});

test('what is plain has an alert and a decision of its own beside those of the attack that the network sees', () => {
  const forged = Array.from({ length: 8 }, (_, index) => ({ srcIp: `203.0.${index}.9`, dstPort: 80, synPackets: 2 }));
  const guess = { srcIp: '198.51.100.7', dstPort: 22, fwdPackets: 12, bwdPackets: 12, fwdBytes: 900, bwdBytes: 900 };
  const run = new Run(
    rule({ id: RuleId.parse('019a0000-0000-7000-8000-00000000000b'), classes: ['ddos_flood'] }),
    rule({ classes: ['brute_force_ssh'] }),
  );
  const flows = [guess, ...forged, guess];
  run.see(...[0, 1].map((at): WindowSketch => ({ at, says: 'brute_force_ssh', flows })));
  const about = run.drafts.map(({ origin, scenario, value, alert_id: alert }) => ({
    what: `${origin} ${scenario} ${value}`,
    alert: run.alerts.find(({ id }) => id === alert)?.class,
  }));
  expect(about).toEqual([
    { what: 'model brute_force_ssh 198.51.100.7', alert: 'brute_force_ssh' },
    { what: 'rule ddos_flood 192.168.1.20 tcp/80', alert: 'ddos_flood' },
  ]);
  expect(
    run.drafts.map((draft) => 'is_forgeable' in draft),
    'who answered back is no forgery',
  ).toEqual([false, false]);
});

test('the memory of verdicts is bounded and what is forgotten is counted', () => {
  const verdicts = new Verdicts({ bootId, rules: [rule({ min_windows: 1, of_windows: 1 })], capacity: 10 });
  for (let host = 0; host < 100; host++) {
    verdicts.decide(scoredWindow({ at: host / 10, says: 'port_scan', device: `192.168.1.${host}` }));
  }
  expect(verdicts.openEpisodes).toBe(10);
  expect(verdicts.evicted).toBeGreaterThanOrEqual(180);
});

test('reasons are asked for once per alert: when it opens, and again only while it has none', () => {
  const verdicts = new Verdicts({ bootId, rules: [rule()] });
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
