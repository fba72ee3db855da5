import { DecisionOrigin } from '@picket/shared/contract/decision';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { decision } from '../testing/decisions.ts';
import { draft, EnforcerBench } from '../testing/enforcer-bench.ts';
import type { DecisionDraft } from '../verdict/decision-draft.ts';
import { emptyGuard } from './guard.ts';

test('a proposal gets its times here, reaches the firewall and is read back', async () => {
  const bench = new EnforcerBench(onTestFinished);
  const enforcer = await bench.open();
  const event = await enforcer.propose(draft({ duration_seconds: 60 }));
  expect(event).toMatchObject({ state: 'verified', decision: { expires_at: '2026-01-01T00:01:00.000Z' } });
  expect(bench.states).toEqual(['verified']);
  expect(enforcer.list()).toMatchObject([{ in_kernel: true }]);
  expect(enforcer.stats).toMatchObject({ in_force: 1, refused: 0, failed: 0 });
});

test.each([
  [{ value: '192.168.1.1' }, 'an address of this gateway'],
  [{ value: 'localhost' }, 'not an IPv4 or IPv6 address'],
  [{ scope: 'cidr', value: '10.0.0.0/8' }, 'too wide'],
  [{ expires_at: '2025-12-31T23:59:59.000Z' }, 'run out already'],
  [{ expires_at: '2026-03-01T00:00:00.000Z' }, 'longer than'],
] as const)('%j is refused with its reason, and the rest of the batch holds', async (changes, reason) => {
  const bench = new EnforcerBench(onTestFinished);
  const enforcer = await bench.open();
  const events = await enforcer.add([bench.block(changes), bench.block({ value: '203.0.113.2' })]);
  expect(events.map((event) => event.state)).toEqual(['refused', 'verified']);
  expect(events[0]?.detail).toContain(reason);
  expect(bench.held).toEqual(['enforce 203.0.113.2']);
  expect(enforcer.stats.refused).toBe(1);
});

test('the same decision twice is one decision', async () => {
  const bench = new EnforcerBench(onTestFinished);
  const enforcer = await bench.open();
  const block = bench.block();
  expect(await enforcer.add([block, block])).toHaveLength(1);
  expect(await enforcer.add([block])).toEqual([]);
  expect(bench.states).toEqual(['verified']);
});

test('a decision is lifted by id or by value, and an old copy of it does not come back', async () => {
  const bench = new EnforcerBench(onTestFinished);
  const enforcer = await bench.open();
  const block = bench.block({ value: '2001:db8::9' });
  await enforcer.add([block, bench.block({ value: '203.0.113.2' })]);
  expect(await enforcer.delete('nothing')).toEqual([]);
  expect(await enforcer.delete('2001:DB8:0::9')).toMatchObject([{ state: 'retracted', decision: { id: block.id } }]);
  expect(await enforcer.add([block])).toMatchObject([{ state: 'refused', detail: 'it was lifted' }]);
  expect(bench.held).toEqual(['enforce 203.0.113.2']);
});

test('what a new guard protects is lifted, and a guard that is none changes nothing', async () => {
  const bench = new EnforcerBench(onTestFinished);
  const enforcer = await bench.open();
  await enforcer.add([bench.block({ value: '203.0.113.1' }), bench.block({ value: '203.0.113.2' })]);
  await expect(enforcer.useGuard({ ...emptyGuard, neverBlock: ['printer'] })).rejects.toThrow('printer');
  const lifted = await enforcer.useGuard({ ...emptyGuard, neverBlock: ['203.0.113.2'] });
  expect(lifted).toMatchObject([{ state: 'retracted', decision: { value: '203.0.113.2' } }]);
  expect(bench.held).toEqual(['enforce 203.0.113.1']);
  expect(bench.firewall.guard?.neverBlock).toEqual(['203.0.113.2']);
});

test('what has run out is told and forgotten', async () => {
  const bench = new EnforcerBench(onTestFinished);
  const enforcer = await bench.open();
  await enforcer.add([bench.block()]);
  bench.nowMs += 599_999;
  await enforcer.check();
  expect(bench.states).toEqual(['verified']);
  bench.nowMs += 1;
  await enforcer.check();
  expect(bench.states).toEqual(['verified', 'expired']);
  expect(enforcer.list()).toEqual([]);
});

test('the model cannot cut off the world within a minute; a person still can', async () => {
  const bench = new EnforcerBench(onTestFinished);
  const enforcer = await bench.open();
  const propose = async (host: number, changes: Partial<DecisionDraft>): Promise<string> =>
    (await enforcer.propose(draft({ value: `203.0.113.${host}`, ...changes }))).state;
  for (let host = 0; host < 30; host++) expect(await propose(host, { is_forgeable: true })).toBe('verified');
  expect(await propose(30, { is_forgeable: true })).toBe('refused');
  for (let host = 30; host < 50; host++) expect(await propose(host, {})).toBe('verified');
  expect(await propose(50, {})).toBe('refused');
  for (let host = 50; host < 60; host++) {
    expect(await propose(host, { action: 'rate_limit', direction: 'to', is_forgeable: true })).toBe('verified');
  }
  expect(await propose(60, { action: 'rate_limit', direction: 'to' })).toBe('refused');
  expect(await enforcer.add([bench.block({ value: '203.0.113.61' })])).toMatchObject([{ state: 'verified' }]);
  bench.nowMs += 60_001;
  expect(await enforcer.propose(draft({ value: '203.0.113.62' }))).toMatchObject({ state: 'verified' });
});

test('after a restart the same decisions hold until the same end, and what was lifted stays lifted', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'decisions-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'decisions.sqlite');
  const first = new EnforcerBench(onTestFinished, path);
  const before = await first.open();
  const [kept, lifted, ended] = [
    first.block(),
    first.block({ value: '203.0.113.2' }),
    first.block({ value: '203.0.113.3', expires_at: '2026-01-01T00:00:30.000Z' }),
  ];
  await before.add([kept, lifted, ended]);
  await before.delete(lifted.id);
  // no dispose: killed

  const second = new EnforcerBench(onTestFinished, path);
  second.nowMs += 60_000;
  const after = await second.open();
  expect(after.list()).toEqual([{ decision: kept, in_kernel: true }]);
  expect(second.events.map((event) => [event.decision.id, event.state])).toEqual([
    [ended.id, 'expired'],
    [kept.id, 'verified'],
  ]);
  expect(await after.add([lifted])).toMatchObject([{ state: 'refused', detail: 'it was lifted' }]);
});

test.each(['quarantine', 'no_wan'] as const)('only a device can be in %s, whoever asks for it', async (action) => {
  const bench = new EnforcerBench(onTestFinished);
  const enforcer = await bench.open();
  for (const origin of DecisionOrigin.options) {
    const [refused] = await enforcer.add([bench.block({ action, origin })]);
    expect([refused?.state, refused?.detail]).toEqual(['refused', expect.stringContaining('only a device')]);
  }
  const [held] = await enforcer.add([bench.block({ action, scope: 'device', value: '192.168.1.20' })]);
  expect(held?.state).toBe('verified');
});

test('people and controller speak the time of the wall; nothing ends sooner or later for it', async () => {
  const bench = new EnforcerBench(onTestFinished);
  let skew = 0;
  const enforcer = await bench.open({ skewMs: () => skew });
  const first = bench.block({ value: '203.0.113.1' });
  await enforcer.add([first]);
  skew = 365 * 86_400_000; // somebody sets the clock a year ahead
  await enforcer.check();
  expect(bench.held).toEqual(['enforce 203.0.113.1']);
  expect(enforcer.list()[0]?.decision.expires_at).toBe(new Date(bench.nowMs + skew + 600_000).toISOString());
  const [event] = await enforcer.add([decision({ value: '203.0.113.2' }, bench.nowMs + skew)]);
  expect(event?.at).toBe(new Date(bench.nowMs + skew).toISOString());
  expect(bench.firewall.decisions.map(({ expires_at }) => Date.parse(expires_at) - bench.nowMs)).toEqual([
    600_000, 600_000,
  ]);
});
