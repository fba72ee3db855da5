import { DecisionOrigin, Mode } from '@picket/shared/contract/decision';
import { expect, onTestFinished, test } from 'vitest';
import { EnforcerBench } from '../testing/enforcer-bench.ts';
import { emptyGuard } from './guard.ts';
import type { HeldOpenMark } from './held-open.ts';
import { passModeGate } from './mode-gate.ts';

test('nothing goes beyond the ceiling, whatever mode is set later', async () => {
  const bench = new EnforcerBench(onTestFinished);
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
  const bench = new EnforcerBench(onTestFinished);
  const enforcer = await bench.open({ mode: 'simulate' });
  await enforcer.add([bench.block({ mode: 'enforce' })]);
  await enforcer.useMode('enforce');
  expect(bench.held.map((held) => held.split(' ')[0])).toEqual(['simulate']);
});

test('every origin passes the mode gate, whatever it asks for', async () => {
  for (const origin of DecisionOrigin.options) {
    for (const asked of Mode.options) {
      for (const mode of Mode.options) {
        const bench = new EnforcerBench(onTestFinished);
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
  const bench = new EnforcerBench(onTestFinished);
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

test('who only observes says nothing to the kernel, but takes back what an earlier run said', async () => {
  const bench = new EnforcerBench(onTestFinished);
  await bench.open({ mode: 'observe' });
  expect(bench.firewall.clears).toBe(0);
  bench.firewall.decisions = [bench.block()];
  const enforcer = await bench.open({ mode: 'observe' });
  expect([bench.firewall.clears, bench.held]).toEqual([1, []]);
  await enforcer.useMode('enforce');
  await enforcer.useMode('observe');
  expect(bench.firewall.clears).toBe(2);
});

test('while its owner holds the gateway open nothing is in the kernel, nothing is forgotten, and a restart changes nothing', async () => {
  const bench = new EnforcerBench(onTestFinished);
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
  const bench = new EnforcerBench(onTestFinished);
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
