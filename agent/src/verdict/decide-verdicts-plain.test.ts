/** What is plain from the flows has a verdict without the network, and beside what it says. */
import { RuleId } from '@picket/shared/contract/identifiers';
import { expect, test } from 'vitest';
import type { WindowSketch } from '../testing/scored-windows.ts';
import { VerdictRun, rule } from '../testing/verdict-run.ts';

test('what is plain from its flows is decided without the network, and says so', () => {
  const forged = Array.from({ length: 10 }, (_, index) => ({ srcIp: `203.0.${index}.9`, dstPort: 80, synPackets: 2 }));
  const run = new VerdictRun();
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
  const run = new VerdictRun(
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
