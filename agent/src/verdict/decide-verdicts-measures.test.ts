/** What is proposed against whom: how often, and whom a rule's action restricts. */
import type { Rule } from '@picket/shared/contract/rule';
import { expect, test } from 'vitest';
import type { WindowSketch } from '../testing/scored-windows.ts';
import { VerdictRun, outcome, rule } from '../testing/verdict-run.ts';

test('after it fired, a rule rests for this device and peer, but not for another peer', () => {
  const scan = (at: number, srcIp: string): WindowSketch => ({
    at,
    says: 'port_scan',
    flows: Array.from({ length: 10 }, () => ({ srcIp })),
  });
  const run = new VerdictRun(rule({ cooldown_seconds: 60, duration_seconds: 10 }));
  run.see(scan(0, '203.0.113.9'), scan(1, '203.0.113.9'), scan(50, '203.0.113.9'));
  expect(run.drafts.map((draft) => draft.value)).toEqual(['203.0.113.9']);
  run.see(scan(51, '203.0.113.10'));
  expect(run.drafts.map((draft) => draft.value)).toEqual(['203.0.113.9', '203.0.113.10']);
  run.see(scan(62, '203.0.113.9'));
  expect(run.drafts.map((draft) => draft.value)).toEqual(['203.0.113.9', '203.0.113.10', '203.0.113.9']);
});

test('one attacker of many devices makes one decision, which every alert names and learns the outcome of', () => {
  const run = new VerdictRun();
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
  const run = new VerdictRun();
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
  const run = new VerdictRun(rule({ action })).see({ at: 0, ...window }, { at: 1, ...window });
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
  const run = new VerdictRun(rule({ action: 'quarantine' }));
  run.see(...[0, 1].map((at): WindowSketch => ({ at, says: 'botnet_beacon', flows, mac: '02:00:00:00:00:66' })));
  expect(run.drafts).toMatchObject([{ action: 'block', scope: 'pair', value: '198.51.100.66 192.168.1.20' }]);
  expect(run.drafts[0]?.reason).toContain('several MACs sent it under this address, and none of them is blamed');
  expect(run.alerts.at(-1)?.message).toContain('or in its name');
});
