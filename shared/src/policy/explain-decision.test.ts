import { expect, test } from 'vitest';
import type { Decision } from '../contract/decision.ts';
import { AlertId, RuleId } from '../contract/identifiers.ts';
import { heldDecision } from '../testing/held-decision.ts';
import { defaultRules } from './default-rules.ts';
import { explainDecision, isAbout } from './explain-decision.ts';

const made = Date.UTC(2026, 0, 1, 12);
const { id } = heldDecision();

function decision(changes: Partial<Decision> = {}): Decision {
  return heldDecision({
    created_at: new Date(made).toISOString(),
    expires_at: new Date(made + 4 * 3_600_000).toISOString(),
    scenario: 'brute_force_ssh',
    reason: '2 of the last 4 windows of 192.168.1.20',
    who: 'Stop password guessing (cnn-lstm-7)',
    alert_id: AlertId.parse('019a0000-0000-7000-8000-0000000000a1'),
    rule_id: RuleId.parse(defaultRules[2]!.id),
    ...changes,
  });
}

test('an explanation says what, why, on which evidence, by which rule, who, what the kernel counted, the end and the way back', () => {
  const lines = explainDecision({
    decision: decision(),
    rule: defaultRules[2],
    alert: { message: 'SSH password guessing by 203.0.113.9.', first_seen_at: 'A', last_seen_at: 'B' },
    kernel: ['holds it; 412 packets met it'],
    undo: 'picket-agent decisions delete …d1',
    nowMs: made + 30 * 60_000,
  });
  expect(lines).toEqual([
    'What: ip 203.0.113.9 is blocked (what it sends and what is sent to it).',
    'Why: brute_force_ssh: 2 of the last 4 windows of 192.168.1.20.',
    'Alert: SSH password guessing by 203.0.113.9. First seen A, last B (019a0000-0000-7000-8000-0000000000a1).',
    'Rule: "Stop password guessing" acts when 2 of the last 4 windows with at least 3 flows reach the threshold in force (019a0000-0000-7000-8000-000000000003).',
    'Decided by: the model on the gateway, Stop password guessing (cnn-lstm-7), 2026-01-01T12:00:00.000Z.',
    'Kernel: holds it; 412 packets met it.',
    'Ends: 2026-01-01T16:00:00.000Z, by itself, in 3 h 30 min.',
    'To undo it before: picket-agent decisions delete …d1.',
  ]);
});

test('a rule that was met without the network says that it may be', () => {
  const facts = { rule: defaultRules[1], kernel: [], undo: 'x', nowMs: made };
  const told = 'Rule: "Stop port scans" acts on what is plain from its flows, and when 2 of the last 3 windows';
  const lines = explainDecision({ ...facts, decision: decision({ origin: 'rule' }) });
  expect(lines.find((line) => line.startsWith('Rule'))).toContain(told);
});

test('what is only simulated says so, and what was lifted says by whom', () => {
  const facts = { kernel: [], undo: 'x', nowMs: made };
  expect(explainDecision({ ...facts, decision: decision({ mode: 'simulate' }) })[0]).toContain(
    'counted and let through',
  );
  const lifted = explainDecision({ ...facts, decision: decision(), lifted: { at: 'T', by: 'ada' } });
  expect(lifted.at(-1)).toBe('Ended: lifted T by ada.');
});

test.each<[Partial<Decision>, string, boolean]>([
  [{}, id, true],
  [{}, '203.0.113.9', true],
  [{}, '::ffff:203.0.113.9', true],
  [{}, '203.0.113.10', false],
  [{ scope: 'cidr', value: '203.0.113.0/24' }, '203.0.113.77', true],
  [{ scope: 'cidr', value: '203.0.113.0/24' }, '203.0.114.77', false],
  [{ scope: 'pair', value: '203.0.113.9 192.168.1.20' }, '192.168.1.20', true],
  [{ scope: 'pair', value: '203.0.113.9 192.168.1.20' }, '203.0.113.9', true],
  [{ scope: 'device', value: '02:00:00:00:00:20' }, '02:00:00:00:00:20', true],
  [{ scope: 'port', value: 'tcp/22' }, '203.0.113.9', false],
  [{}, 'rubbish', false],
])('%j is about %s: %s', (changes, text, expected) => {
  expect(isAbout(decision(changes), text)).toBe(expected);
});
