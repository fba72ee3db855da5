import { BootId, newId } from '@picket/shared/contract/identifiers';
import { defaultRules } from '@picket/shared/policy/default-rules';
import { expect, onTestFinished, test } from 'vitest';
import { DecisionStore } from './enforcement/decision-store.ts';
import { Enforcer } from './enforcement/enforcer.ts';
import { emptyGuard } from './enforcement/guard.ts';
import { explainHeld } from './explain-held.ts';
import { MemoryFirewall } from './testing/memory-firewall.ts';
import { scoredWindow } from './testing/scored-windows.ts';
import { Verdicts } from './verdict/decide-verdicts.ts';

const nowMs = Date.UTC(2026, 0, 1);

async function opened(mode: 'observe' | 'enforce') {
  const verdicts = new Verdicts({ bootId: BootId.parse(newId()) });
  const enforcer = await Enforcer.open({
    store: DecisionStore.open({ path: ':memory:' }),
    firewall: new MemoryFirewall(),
    guard: { ...emptyGuard, ownAddresses: ['192.168.1.1'] },
    mode,
    onEvent: (event) => verdicts.noteDecision(event),
    log: { info: () => {}, warn: () => {} },
    now: () => nowMs,
    checkEveryMs: 3_600_000,
  });
  onTestFinished(async () => {
    await enforcer[Symbol.asyncDispose]();
  });
  return { verdicts, enforcer, nowMs };
}

test('a block of the model is explained by its alert, its rule, the kernel and the way back', async () => {
  const parts = await opened('enforce');
  for (const at of [0, 1, 2]) {
    for (const draft of parts.verdicts.decide(scoredWindow({ at, says: 'port_scan' })).drafts)
      await parts.enforcer.propose(draft);
  }
  const { decisions } = await explainHeld('203.0.113.9', parts);
  expect(decisions).toHaveLength(1);
  expect(decisions[0]).toMatchObject({ in_kernel: true, packets: 0 });
  const text = decisions[0]!.lines.join('\n');
  expect(text).toContain('What: ip 203.0.113.9 is blocked');
  expect(text).toContain('port_scan in 2 of the last 2 windows of 192.168.1.20, score 0.97 (threshold 0.50)');
  expect(text).toContain('Alert: Port scan by 203.0.113.9 against 192.168.1.20');
  expect(text).toContain(`Rule: "${defaultRules[1]!.name}" acts when 2 of the last 3 windows`);
  expect(text).toContain('Kernel: holds it, as just read back; no packet has met it so far.');
  expect(text).toContain('in 1 h.');
  expect(text).toContain(`picket-agent decisions delete ${decisions[0]!.decision.id}`);
});

test('where nothing is restricted it says whether anything could be', async () => {
  const parts = await opened('enforce');
  expect(await explainHeld('203.0.113.9', parts)).toEqual({ decisions: [], guarded: null });
  expect(await explainHeld('192.168.1.1', parts)).toEqual({
    decisions: [],
    guarded: '192.168.1.1 is an address of this gateway',
  });
  expect(await explainHeld('rubbish', parts)).toEqual({ decisions: [], guarded: null });
});
