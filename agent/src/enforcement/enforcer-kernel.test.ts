import type { DecisionEvent } from '@picket/shared/contract/decision';
import { newId, type DecisionId } from '@picket/shared/contract/identifiers';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { draft, EnforcerBench } from '../testing/enforcer-bench.ts';
import { readStoredDecisions } from './decision-rows.ts';
import { FirewallError, type Firewall } from './firewall.ts';
import type { HeldOpenMark } from './held-open.ts';

test('a kernel that somebody changed is repaired and counted', async () => {
  const bench = new EnforcerBench(onTestFinished);
  const enforcer = await bench.open();
  await enforcer.add([bench.block()]);
  bench.firewall.decisions = [];
  await enforcer.check();
  expect(bench.held).toEqual(['enforce 203.0.113.9']);
  expect(enforcer.stats.drift_repairs).toBe(1);
  await enforcer.check();
  expect(enforcer.stats.drift_repairs).toBe(1);
  expect(bench.states).toEqual(['verified']);
});

test('without nft a decision fails with what to do, is kept, and holds once nft is there', async () => {
  const bench = new EnforcerBench(onTestFinished);
  bench.firewall.failure = new FirewallError('missing', 'nft is not installed: apt install nftables');
  const enforcer = await bench.open();
  const event = await enforcer.propose(draft());
  expect(event).toMatchObject({ state: 'failed', detail: 'nft is not installed: apt install nftables' });
  expect(enforcer.list()).toMatchObject([{ in_kernel: false }]);
  bench.firewall.failure = undefined;
  await enforcer.check();
  expect(bench.states).toEqual(['failed', 'verified']);
  expect(enforcer.stats.drift_repairs).toBe(0);
});

test('who hears that the kernel was changed repairs it at once, and counts how long the gap was', async () => {
  const bench = new EnforcerBench(onTestFinished);
  let tell = (): void => {};
  bench.firewall.watch = (onChanged) => {
    tell = onChanged;
    return { restarts: 0, [Symbol.asyncDispose]: async () => {} };
  };
  const enforcer = await bench.open();
  await enforcer.add([bench.block()]);
  bench.firewall.decisions = [];
  tell();
  bench.nowMs += 40;
  await vi.waitFor(() => expect(bench.held).toEqual(['enforce 203.0.113.9']), { timeout: 10_000 });
  await enforcer.check();
  expect(enforcer.stats).toMatchObject({ drift_repairs: 1, gap_ms_max: 40, gap_ms_total: 40 });
});

test('a kernel that fails, and announces each attempt, is not asked in a circle', async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const bench = new EnforcerBench(onTestFinished);
  let tell = (): void => {};
  bench.firewall.watch = (onChanged) => {
    tell = onChanged;
    return { restarts: 0, [Symbol.asyncDispose]: async () => {} };
  };
  const enforcer = await bench.open();
  const hold = bench.firewall.hold.bind(bench.firewall);
  bench.firewall.hold = (...args) => {
    tell();
    return hold(...args);
  };
  bench.firewall.failure = new Error('out of memory');
  await enforcer.add([bench.block()]);
  const holds = bench.firewall.holds;
  await vi.advanceTimersByTimeAsync(10_000);
  expect(bench.firewall.holds - holds).toBe(10);
  bench.firewall.failure = undefined;
  await vi.advanceTimersByTimeAsync(1000);
  expect([enforcer.problem, bench.held]).toEqual([undefined, ['enforce 203.0.113.9']]);
});

test.each(['with its answer', 'while others are at work', 'by failing'] as const)(
  'nothing is told of a decision before it is on disk, where the kernel is done %s',
  async (how) => {
    const folder = mkdtempSync(join(tmpdir(), 'picket-enforcer-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'decisions.sqlite');
    const bench = new EnforcerBench(onTestFinished, path);
    onTestFinished(() => bench.store[Symbol.dispose]());
    const onDisk = (): number => readStoredDecisions(path).length;
    if (how === 'by failing') bench.firewall.failure = new FirewallError('refused', 'nft refused the rules');
    const firewall: Firewall = {
      hold: async (decisions, guard, signal, meanwhile) => {
        if (how === 'while others are at work' && decisions.length > 0) {
          meanwhile?.();
          expect(onDisk()).toBe(2);
        }
        return bench.firewall.hold(decisions, guard, signal);
      },
      read: (signal) => bench.firewall.read(signal),
      clear: () => bench.firewall.clear(),
      [Symbol.asyncDispose]: () => bench.firewall[Symbol.asyncDispose](),
    };
    const told: (readonly [state: string, onDisk: number])[] = [];
    const enforcer = await bench.open({ firewall, onEvent: ({ state }) => told.push([state, onDisk()]) });
    await enforcer.add([bench.block(), bench.block({ value: '203.0.113.10' })]);
    const state = how === 'by failing' ? 'failed' : 'verified';
    expect(told).toEqual([
      [state, 2],
      [state, 2],
    ]);
  },
);

test('of thousands at once the firewall hears while others are looked at, and only of what may hold', async () => {
  const bench = new EnforcerBench(onTestFinished);
  let mark: HeldOpenMark | undefined;
  const enforcer = await bench.open({ heldOpen: () => mark });
  const told: string[] = [];
  bench.firewall.announce = (decisions) => told.push(...decisions.map(({ value }) => value));
  const many = Array.from({ length: 2000 }, (_, index) =>
    bench.block({ value: index % 2 === 0 ? `100.64.${index >> 8}.${index & 255}` : '192.168.1.1' }),
  );
  const sooner: number[] = [];
  setImmediate(() => sooner.push(told.length));
  const events = await enforcer.add(many);
  expect(events.map(({ state }) => state)).toEqual(many.map((_, index) => (index % 2 === 0 ? 'verified' : 'refused')));
  expect(told).toEqual(bench.firewall.decisions.map(({ value }) => value));
  expect(sooner[0]).toBeGreaterThan(0);
  expect(sooner[0]).toBeLessThan(1000);
  await enforcer.useMode('observe');
  await enforcer.add(many.map((one) => ({ ...one, id: newId() as DecisionId })));
  await enforcer.useMode('enforce');
  mark = { since_ms: 0, until_ms: null, boot_id: '', until_uptime_ms: null, who: 'test' };
  await enforcer.add(many.map((one) => ({ ...one, id: newId() as DecisionId })));
  expect(told).toHaveLength(1000);
});

test('thousands that are on disk are brought to the kernel once, and told in one breath', async () => {
  const bench = new EnforcerBench(onTestFinished);
  bench.store.put(
    Array.from({ length: 5000 }, (_, index) => bench.block({ value: `100.64.${index >> 8}.${index & 255}` })),
  );
  let breaths = 0;
  let isWithin = false;
  const events: DecisionEvent[] = [];
  await bench.open({
    onEvent: (event) => {
      events.push(event);
      if (isWithin) return;
      isWithin = true;
      breaths += 1;
      queueMicrotask(() => (isWithin = false));
    },
  });
  expect(events).toHaveLength(5000);
  expect(new Set(events.map(({ state }) => state))).toEqual(new Set(['verified']));
  expect([breaths, bench.firewall.holds, bench.firewall.reads]).toEqual([1, 1, 0]);
});
