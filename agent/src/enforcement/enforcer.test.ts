import { DecisionEvent, DecisionOrigin, Mode, type Decision } from '@picket/shared/contract/decision';
import { newId, type DecisionId } from '@picket/shared/contract/identifiers';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { decision } from '../testing/decisions.ts';
import { MemoryFirewall } from '../testing/memory-firewall.ts';
import type { DecisionDraft } from '../verdict/decision-draft.ts';
import { readStoredDecisions } from './decision-rows.ts';
import { DecisionStore } from './decision-store.ts';
import type { EnforcerOptions } from './enforcer-options.ts';
import { Enforcer } from './enforcer.ts';
import { FirewallError, type Firewall } from './firewall.ts';
import { emptyGuard } from './guard.ts';
import type { HeldOpenMark } from './held-open.ts';
import { passModeGate } from './mode-gate.ts';

const silent = { info: () => {}, warn: () => {} };

class Bench {
  readonly firewall = new MemoryFirewall();
  readonly events: DecisionEvent[] = [];
  nowMs = Date.UTC(2026, 0, 1);
  readonly store: DecisionStore;

  constructor(path = ':memory:') {
    this.store = DecisionStore.open({ path });
  }

  async open(options: Partial<EnforcerOptions> = {}): Promise<Enforcer> {
    const enforcer = await Enforcer.open({
      store: this.store,
      firewall: this.firewall,
      guard: { ...emptyGuard, ownAddresses: ['192.168.1.1'] },
      mode: 'enforce',
      onEvent: (event) => this.events.push(DecisionEvent.parse(event)),
      log: silent,
      now: () => this.nowMs,
      checkEveryMs: 3_600_000,
      ...options,
    });
    onTestFinished(async () => {
      await enforcer[Symbol.asyncDispose]();
    });
    return enforcer;
  }

  block(changes: Partial<Decision> = {}): Decision {
    return decision(changes, this.nowMs);
  }

  get states(): readonly string[] {
    return this.events.map((event) => event.state);
  }

  get held(): readonly string[] {
    return this.firewall.decisions.map((held) => `${held.mode} ${held.value}`);
  }
}

function draft(changes: Partial<DecisionDraft> = {}): DecisionDraft {
  const { created_at: _, expires_at: __, ...rest } = decision();
  return { ...rest, origin: 'model', id: newId() as DecisionId, duration_seconds: 600, ...changes };
}

test('a proposal gets its times here, reaches the firewall and is read back', async () => {
  const bench = new Bench();
  const enforcer = await bench.open();
  const event = await enforcer.propose(draft({ duration_seconds: 60 }));
  expect(event).toMatchObject({ state: 'verified', decision: { expires_at: '2026-01-01T00:01:00.000Z' } });
  expect(bench.states).toEqual(['verified']);
  expect(enforcer.list()).toMatchObject([{ in_kernel: true }]);
  expect(enforcer.stats).toMatchObject({ in_force: 1, refused: 0, failed: 0 });
});

test('nothing goes beyond the ceiling, whatever mode is set later', async () => {
  const bench = new Bench();
  const enforcer = await bench.open({ ceiling: 'simulate' });
  expect(enforcer.mode).toBe('simulate');
  await enforcer.useMode('enforce');
  expect(enforcer.mode).toBe('simulate');
  await enforcer.add([bench.block({ mode: 'enforce' })]);
  expect(bench.states).toEqual(['simulated']);
  expect(bench.held).toEqual(['simulate 203.0.113.9']);
  await enforcer.useMode('observe');
  expect(enforcer.mode).toBe('observe');
});

test('what was simulated when it began stays so when the gateway enforces later', async () => {
  const bench = new Bench();
  const enforcer = await bench.open({ mode: 'simulate' });
  await enforcer.add([bench.block({ mode: 'enforce' })]);
  await enforcer.useMode('enforce');
  expect(bench.held.map((held) => held.split(' ')[0])).toEqual(['simulate']);
});

test('every origin passes the mode gate, whatever it asks for', async () => {
  for (const origin of DecisionOrigin.options) {
    for (const asked of Mode.options) {
      for (const mode of Mode.options) {
        const bench = new Bench();
        const enforcer = await bench.open({ mode });
        const [event] = await enforcer.add([bench.block({ origin, mode: asked })]);
        const passed = passModeGate(asked, mode);
        expect(event?.state).toBe({ observe: 'proposed', simulate: 'simulated', enforce: 'verified' }[passed]);
        expect(bench.held).toEqual(passed === 'observe' ? [] : [`${passed} 203.0.113.9`]);
      }
    }
  }
});

test('what was decided while the gateway only simulated never drops, whatever its mode becomes', async () => {
  const bench = new Bench();
  const enforcer = await bench.open({ mode: 'simulate' });
  await enforcer.add([bench.block({ value: '203.0.113.1' })]);
  await enforcer.useMode('enforce');
  await enforcer.add([bench.block({ value: '203.0.113.2' })]);
  expect(bench.held).toEqual(['simulate 203.0.113.1', 'enforce 203.0.113.2']);
  await enforcer.useMode('simulate');
  expect(bench.held).toEqual(['simulate 203.0.113.1', 'simulate 203.0.113.2']);
  await enforcer.useMode('observe');
  expect(bench.held).toEqual([]);
  await enforcer.useMode('enforce');
  expect(bench.held).toEqual(['simulate 203.0.113.1', 'enforce 203.0.113.2']);
});

test.each([
  [{ value: '192.168.1.1' }, 'an address of this gateway'],
  [{ value: 'localhost' }, 'not an IPv4 or IPv6 address'],
  [{ scope: 'cidr', value: '10.0.0.0/8' }, 'too wide'],
  [{ expires_at: '2025-12-31T23:59:59.000Z' }, 'run out already'],
  [{ expires_at: '2026-03-01T00:00:00.000Z' }, 'longer than'],
] as const)('%j is refused with its reason, and the rest of the batch holds', async (changes, reason) => {
  const bench = new Bench();
  const enforcer = await bench.open();
  const events = await enforcer.add([bench.block(changes), bench.block({ value: '203.0.113.2' })]);
  expect(events.map((event) => event.state)).toEqual(['refused', 'verified']);
  expect(events[0]?.detail).toContain(reason);
  expect(bench.held).toEqual(['enforce 203.0.113.2']);
  expect(enforcer.stats.refused).toBe(1);
});

test('the same decision twice is one decision', async () => {
  const bench = new Bench();
  const enforcer = await bench.open();
  const block = bench.block();
  expect(await enforcer.add([block, block])).toHaveLength(1);
  expect(await enforcer.add([block])).toEqual([]);
  expect(bench.states).toEqual(['verified']);
});

test('a decision is lifted by id or by value, and an old copy of it does not come back', async () => {
  const bench = new Bench();
  const enforcer = await bench.open();
  const block = bench.block({ value: '2001:db8::9' });
  await enforcer.add([block, bench.block({ value: '203.0.113.2' })]);
  expect(await enforcer.delete('nothing')).toEqual([]);
  expect(await enforcer.delete('2001:DB8:0::9')).toMatchObject([{ state: 'retracted', decision: { id: block.id } }]);
  expect(await enforcer.add([block])).toMatchObject([{ state: 'refused', detail: 'it was lifted' }]);
  expect(bench.held).toEqual(['enforce 203.0.113.2']);
});

test('what a new guard protects is lifted, and a guard that is none changes nothing', async () => {
  const bench = new Bench();
  const enforcer = await bench.open();
  await enforcer.add([bench.block({ value: '203.0.113.1' }), bench.block({ value: '203.0.113.2' })]);
  await expect(enforcer.useGuard({ ...emptyGuard, neverBlock: ['printer'] })).rejects.toThrow('printer');
  const lifted = await enforcer.useGuard({ ...emptyGuard, neverBlock: ['203.0.113.2'] });
  expect(lifted).toMatchObject([{ state: 'retracted', decision: { value: '203.0.113.2' } }]);
  expect(bench.held).toEqual(['enforce 203.0.113.1']);
  expect(bench.firewall.guard?.neverBlock).toEqual(['203.0.113.2']);
});

test('what has run out is told and forgotten', async () => {
  const bench = new Bench();
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

test('a kernel that somebody changed is repaired and counted', async () => {
  const bench = new Bench();
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
  const bench = new Bench();
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

test('who only observes says nothing to the kernel, but takes back what an earlier run said', async () => {
  const bench = new Bench();
  await bench.open({ mode: 'observe' });
  expect(bench.firewall.clears).toBe(0);
  bench.firewall.decisions = [bench.block()];
  const enforcer = await bench.open({ mode: 'observe' });
  expect([bench.firewall.clears, bench.held]).toEqual([1, []]);
  await enforcer.useMode('enforce');
  await enforcer.useMode('observe');
  expect(bench.firewall.clears).toBe(2);
});

test('the model cannot cut off the world within a minute; a person still can', async () => {
  const bench = new Bench();
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
  const first = new Bench(path);
  const before = await first.open();
  const [kept, lifted, ended] = [
    first.block(),
    first.block({ value: '203.0.113.2' }),
    first.block({ value: '203.0.113.3', expires_at: '2026-01-01T00:00:30.000Z' }),
  ];
  await before.add([kept, lifted, ended]);
  await before.delete(lifted.id);
  // no dispose: killed

  const second = new Bench(path);
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
  const bench = new Bench();
  const enforcer = await bench.open();
  for (const origin of DecisionOrigin.options) {
    const [refused] = await enforcer.add([bench.block({ action, origin })]);
    expect([refused?.state, refused?.detail]).toEqual(['refused', expect.stringContaining('only a device')]);
  }
  const [held] = await enforcer.add([bench.block({ action, scope: 'device', value: '192.168.1.20' })]);
  expect(held?.state).toBe('verified');
});

test('while its owner holds the gateway open nothing is in the kernel, nothing is forgotten, and a restart changes nothing', async () => {
  const bench = new Bench();
  let mark: HeldOpenMark | undefined;
  const heldOpen = (): HeldOpenMark | undefined => mark;
  const enforcer = await bench.open({ heldOpen });
  await enforcer.add([bench.block({ value: '203.0.113.1' })]);
  mark = { since_ms: 0, until_ms: null, boot_id: '', until_uptime_ms: null, who: 'test' };
  await enforcer.check();
  expect(bench.held).toEqual([]);
  expect(enforcer.stats.held_open).toBe(true);
  const [event] = await enforcer.add([bench.block({ value: '203.0.113.2' })]);
  expect(event).toMatchObject({
    state: 'failed',
    detail: expect.stringContaining('held open until it is resumed') as string,
  });
  await enforcer.useMode('simulate');
  await enforcer.useMode('enforce');
  await enforcer.useGuard({ ...emptyGuard, ownAddresses: ['192.168.1.2'] });
  expect(bench.held).toEqual([]);
  const again = await bench.open({ heldOpen });
  expect(bench.held).toEqual([]);
  await enforcer[Symbol.asyncDispose]();
  mark = undefined;
  await again.check();
  expect(bench.held).toEqual(['enforce 203.0.113.1', 'enforce 203.0.113.2']);
  expect(bench.states.slice(-2)).toEqual(['verified', 'verified']);
});

test('what runs out while the gateway is held open does not come back', async () => {
  const bench = new Bench();
  let mark: HeldOpenMark | undefined = {
    since_ms: 0,
    until_ms: null,
    boot_id: '',
    until_uptime_ms: null,
    who: 'test',
  };
  const enforcer = await bench.open({ heldOpen: () => mark });
  await enforcer.add([bench.block()]);
  bench.nowMs += 11 * 60_000;
  mark = undefined;
  await enforcer.check();
  expect(bench.held).toEqual([]);
  expect(bench.states.at(-1)).toBe('expired');
});

test('people and controller speak the time of the wall; nothing ends sooner or later for it', async () => {
  const bench = new Bench();
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

test('who hears that the kernel was changed repairs it at once, and counts how long the gap was', async () => {
  const bench = new Bench();
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
  const bench = new Bench();
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
    const bench = new Bench(path);
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

test('thousands that are on disk are brought to the kernel once, and told in one breath', async () => {
  const bench = new Bench();
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
