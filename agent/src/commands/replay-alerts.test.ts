/** What a replay prints of its alerts: each attack once, with all that is needed to act on it, and nothing twice. */
import { expect, test } from 'vitest';
import type { Alert } from '@picket/shared/contract/alert';
import type { Decision, DecisionEvent } from '@picket/shared/contract/decision';
import { newId, type AlertId, type DecisionId } from '@picket/shared/contract/identifiers';
import { defaultRules } from '@picket/shared/policy/default-rules';
import { Verdicts } from '../verdict/decide-verdicts.ts';
import { scoredWindow } from '../testing/scored-windows.ts';
import { ReplayAlerts } from './replay-alerts.ts';

const summary =
  '412 new TCP connections to port 22 of 192.168.1.20 from 203.0.113.9 within 8 s, none answered; unusual: x';
const startMs = Date.parse('2026-11-21T07:55:46Z');

function openedAlert(): Alert {
  const verdicts = new Verdicts({ bootId: '019a0000-0000-7000-8000-0000000000bb' as never });
  const told = [1, 2, 3].flatMap(
    (at) =>
      verdicts.decide(
        scoredWindow({ at, says: 'brute_force_ssh', flows: Array.from({ length: 10 }, () => ({ dstPort: 22 })) }),
      ).alerts,
  );
  return told[0]!;
}

const template = openedAlert();

function alertOf(said: Partial<Alert> = {}): Alert {
  return {
    ...template,
    id: newId() as AlertId,
    revision: 0,
    decision_ids: [],
    device: { address: '192.168.1.20', mac: null },
    peer: '203.0.113.9',
    first_seen_at: '2026-11-21T07:55:44.000Z',
    last_seen_at: '2026-11-21T07:55:46.643Z',
    message: 'SSH password guessing by 203.0.113.9 against 192.168.1.20, score 0.97 in 2 windows.',
    explanation: { top_features: [], flow_importance: [], flows: [], normal_of: 'device', summary },
    ...said,
  };
}

function decided(
  alert: Alert,
  said: Partial<Decision> = {},
  state: DecisionEvent['state'] = 'simulated',
  detail: string | null = null,
): DecisionEvent {
  const decision: Decision = {
    id: newId() as DecisionId,
    origin: 'model',
    action: 'block',
    scope: 'ip',
    value: '203.0.113.9',
    direction: 'both',
    created_at: new Date(startMs).toISOString(),
    expires_at: new Date(startMs + 4 * 3600 * 1000).toISOString(),
    scenario: 'brute_force_ssh',
    mode: 'simulate',
    reason: `brute_force_ssh in 2 of the last 4 windows of 192.168.1.20, score 0.97 (threshold 0.94); ${summary}`,
    who: 'Stop password guessing (test-1)',
    alert_id: alert.id,
    rule_id: defaultRules[2]!.id,
    ...said,
  };
  return { decision, state, at: decision.created_at, detail };
}

function printer(explains = false): { readonly alerts: ReplayAlerts; readonly printed: () => string } {
  let printed = '';
  const alerts = new ReplayAlerts({
    print: (text) => (printed += text),
    addressesOf: (mac) => (mac === '02:00:00:00:00:07' ? ['192.168.1.7', 'fd00::7'] : []),
    explains,
  });
  return { alerts, printed: () => printed };
}

test('an alert says what was seen, then what would have been done about it, for how long and why', () => {
  const { alerts, printed } = printer();
  const alert = alertOf();
  alerts.noteAlert(alert);
  alerts.noteDecision(decided(alert));
  alerts.noteDecision(decided(alert, { action: 'rate_limit', scope: 'ip+port', value: '192.168.1.20 tcp/22' }));
  expect(printed()).toBe(
    `2026-11-21T07:55:46.643Z  CRITICAL  SSH password guessing by 203.0.113.9 against 192.168.1.20, score 0.97 in 2 windows.
          seen: ${summary}
          simulated: block ip 203.0.113.9 for 4 h (rule "Stop password guessing"; brute_force_ssh in 2 of the last 4 windows of 192.168.1.20, score 0.97 (threshold 0.94))
          simulated: rate_limit ip+port 192.168.1.20 tcp/22 for 4 h
`,
  );
});

test('of a count that the alert tells already only the rest is said; a MAC is told with its addresses', () => {
  const { alerts, printed } = printer();
  const counted = '20 log-ins at ftp of 192.168.1.20 by 192.168.1.7 within 37 s, none of them long';
  const alert = alertOf({ message: `FTP password guessing by 192.168.1.7 against 192.168.1.20, ${counted}.` });
  alerts.noteAlert(alert);
  const reason = `${counted}; the network's score 0.05 (threshold 0.94); step "quarantine" of the device's ladder; ${summary}`;
  alerts.noteDecision(
    decided(alert, { action: 'quarantine', scope: 'device', value: '02:00:00:00:00:07', reason: reason.slice(0, 200) }),
  );
  expect(printed()).toContain(
    'simulated: quarantine device 02:00:00:00:00:07 (192.168.1.7, fd00::7) for 4 h (rule "Stop password guessing"; ' +
      'the network\'s score 0.05 (threshold 0.94); step "quarantine" of the device\'s ladder)\n',
  );
});

test('what was refused says why', () => {
  const { alerts, printed } = printer();
  const alert = alertOf();
  alerts.noteAlert(alert);
  alerts.noteDecision(decided(alert, {}, 'refused', '203.0.113.9: it is the controller'));
  expect(printed()).toContain('refused: block ip 203.0.113.9 for 4 h (203.0.113.9: it is the controller)\n');
});

test('an attack between two devices is told once, though each end has its alert', () => {
  const { alerts, printed } = printer();
  const device = (address: string): Alert['device'] => ({ address, mac: null });
  alerts.noteAlert(alertOf({ device: device('192.168.1.7'), peer: '192.168.1.20' }));
  alerts.noteAlert(alertOf({ device: device('192.168.1.20'), peer: '192.168.1.7' }));
  expect(printed().match(/seen: /g)).toHaveLength(1);
  expect(printed()).toContain('the same at its other end, 192.168.1.20: an alert of its own\n');
  expect(alerts.overview().match(/CRITICAL .* Both ends are devices: two alerts\./g)).toHaveLength(1);
  // another class, another pair and another time are other attacks
  alerts.noteAlert(alertOf({ device: device('192.168.1.20'), peer: '192.168.1.7', class: 'port_scan' }));
  alerts.noteAlert(alertOf({ device: device('192.168.1.21'), peer: '192.168.1.7' }));
  const first_seen_at = '2026-11-21T08:15:44.000Z';
  alerts.noteAlert(alertOf({ device: device('192.168.1.20'), peer: '192.168.1.7', first_seen_at }));
  expect(printed().match(/seen: /g)).toHaveLength(4);
});

test('in the end each alert is told as it then stands, the gravest twenty in the order of time', () => {
  const { alerts } = printer();
  expect(alerts.overview()).toBe('');
  const alert = alertOf();
  alerts.noteAlert(alert);
  alerts.noteDecision(decided(alert));
  const message =
    'SSH password guessing by 203.0.113.9 against 192.168.1.20, score 0.99 in 40 windows: blocked (simulated).';
  alerts.noteAlert({ ...alert, revision: 7, message, last_seen_at: '2026-11-21T07:59:01.000Z' });
  expect(alerts.overview()).toBe(`\nin the end:\n  2026-11-21 07:55:44 to 07:59:01  CRITICAL  ${message}\n`);
  for (let index = 0; index < 20; index++) {
    const severity = index < 19 ? 'critical' : 'low';
    const first_seen_at = `2026-11-20T23:59:${String(40 - index)}.000Z`;
    alerts.noteAlert(alertOf({ peer: `203.0.113.${index}`, severity, first_seen_at }));
  }
  const lines = alerts.overview().trimEnd().split('\n').slice(2);
  expect(lines).toHaveLength(21);
  expect(lines[0]).toMatch(
    /^ {2}2026-11-20 23:59:22 to 2026-11-21 07:55:46 {2}CRITICAL .* Nothing is restricted for it\.$/,
  );
  expect(lines[19]).toContain('score 0.99 in 40 windows');
  expect(lines[20]).toBe('  and 1 more, no graver than these');
});

test('what was restricted for another alert before, and holds for this one later, is restricted', () => {
  const { alerts } = printer();
  const alert = alertOf();
  alerts.noteAlert(alert);
  expect(alerts.overview()).toContain('Nothing is restricted for it.');
  alerts.noteAlert({ ...alert, revision: 1, decision_ids: [decided(alert).decision.id] });
  expect(alerts.overview()).not.toContain('Nothing is restricted for it.');
});

test('what is normal is not called the device’s where it is others’', () => {
  const { alerts, printed } = printer();
  const explanation = { top_features: [], flow_importance: [], flows: [], summary: `${summary} 2 (normally 0)` };
  alerts.noteAlert(alertOf({ explanation: { ...explanation, normal_of: 'bundle' } }));
  expect(printed()).toContain('(normal is what other devices do: too little was seen of this one)');
  alerts.noteAlert(alertOf({ explanation: { ...explanation, normal_of: 'device' } }));
  expect(printed().match(/what other devices do/g)).toHaveLength(1);
});

test('reasons are printed where they are asked for', () => {
  const { alerts, printed } = printer(true);
  alerts.noteAlert(alertOf());
  expect(printed()).toContain('reasons, by their share');
});
