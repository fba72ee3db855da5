import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { requireSystem } from '../../../.ci/require-system.ts';
import { decision } from '../testing/decisions.ts';
import { busyGuard, GatewayKernel } from '../testing/gateway-kernel.ts';
import { addresses } from '../testing/network-namespaces.ts';
import { DecisionStore } from './decision-store.ts';
import { Enforcer } from './enforcer.ts';
import { emptyGuard } from './guard.ts';

const { attacker, bystander, device } = addresses;
const never = new AbortController().signal;
const silent = { info: () => {}, warn: () => {} };
const isReady = requireSystem('root', 'ip', 'nft', 'conntrack', 'bash', 'timeout');

describe.skipIf(!isReady)('from when until when the kernel cuts off', { timeout: 240_000 }, () => {
  let kernel: GatewayKernel;

  beforeAll(async () => {
    kernel = await GatewayKernel.open();
  }, 240_000);
  afterAll(async () => {
    await kernel?.[Symbol.asyncDispose]();
  });
  beforeEach(() => kernel.clear());

  test('while nobody is restricted no packet meets a chain of ours, also once the last decision has run out', async () => {
    const hooks = (): number => kernel.nft('list', 'table', 'inet', 'picket').split('hook').length - 1;
    using store = DecisionStore.open({ path: ':memory:' });
    await using enforcer = await Enforcer.open({
      store,
      firewall: kernel.firewall,
      guard: busyGuard,
      mode: 'enforce',
      onEvent: () => {},
      log: silent,
      checkEveryMs: 3_600_000,
    });
    expect(hooks()).toBe(0);
    expect(kernel.nft('list', 'table', 'inet', 'picket')).not.toContain('ct state'); // it would have all connections tracked
    const short = decision({ value: attacker.v4, expires_at: new Date(Date.now() + 20_000).toISOString() });
    const [lifted] = await enforcer.add([decision({ value: bystander.v4, mode: 'simulate' })]);
    expect(await enforcer.add([short])).toMatchObject([{ state: 'verified' }]);
    expect(hooks()).toBe(3);
    await enforcer.remove([lifted!.decision.id], 'lifted by hand');
    expect(hooks()).toBe(3);
    await enforcer.check();
    const own = (): string => kernel.nft('list', 'chain', 'inet', 'picket', 'guard_input');
    expect(own()).toContain('ct state');
    const whenGone = async (): Promise<boolean> => {
      await enforcer.check();
      return hooks() === 0;
    };
    await vi.waitUntil(whenGone, { timeout: 60_000, interval: 100 });
    expect(enforcer.stats).toMatchObject({ in_force: 0, drift_repairs: 0 });
    expect(own()).not.toContain('ct state');
    expect(await enforcer.add([decision({ value: attacker.v4 })])).toMatchObject([{ state: 'verified' }]);
    expect(hooks()).toBe(3);
    expect(kernel.network.isCutFrom('attacker', device.v4)).toBe(true);
  });

  test.each(['nothing', 'a mode that counts'])(
    'a connection that runs is cut after %s, though another table accepts what is established',
    async (from) => {
      kernel.nft(
        'add table inet other; add chain inet other forward { type filter hook forward priority 0; policy accept; }',
      );
      kernel.nft('add rule inet other forward ct state established accept');
      onTestFinished(() => void kernel.nft('delete table inet other'));
      await kernel.hold([]);
      const [program = '', ...args] = kernel.network.inside(
        'attacker',
        process.execPath,
        '-e',
        `const socket = require('node:net').connect(80, '${device.v4}');
       setInterval(() => socket.write('x'), 20);
       socket.on('data', () => console.log('echo'));`,
      );
      const client = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'] });
      onTestFinished(() => void client.kill('SIGKILL'));
      let echoes = 0;
      client.stdout.on('data', () => (echoes += 1));
      await vi.waitUntil(() => echoes > 3, 60_000);
      expect(kernel.network.run('gateway', 'conntrack', '-L', '-s', attacker.v4)).toContain('dport=80');
      const block = decision({ value: attacker.v4 });
      if (from === 'a mode that counts') {
        await kernel.hold([{ ...block, mode: 'simulate' }]);
        const before = echoes;
        await vi.waitUntil(() => echoes > before + 3, 60_000);
      }
      await kernel.hold([block]);
      await vi.waitUntil(() => kernel.network.run('gateway', 'conntrack', '-L', '-s', attacker.v4) === '', 60_000);
      const dropped = async (): Promise<number> => (await kernel.read()).packetsDropped;
      await vi.waitUntil(async () => (await dropped()) > 0, 60_000);
      const [after, sofar] = [echoes, await dropped()];
      await vi.waitUntil(async () => (await dropped()) > sofar + 1, 60_000);
      expect(echoes).toBeLessThanOrEqual(after + 1);
      client.kill('SIGKILL');
      await once(client, 'exit');
    },
  );

  test('a block ends in the kernel though nobody is there to end it', async () => {
    await kernel.hold([decision({ value: attacker.v4, expires_at: new Date(Date.now() + 12_000).toISOString() })]);
    await kernel.firewall[Symbol.asyncDispose]();
    expect(kernel.network.isCutFrom('attacker', device.v4)).toBe(true);
    await vi.waitUntil(() => kernel.network.reaches('attacker', device.v4), { timeout: 60_000, interval: 50 });
    expect(kernel.nft('list', 'table', 'inet', 'picket')).not.toContain(attacker.v4);
  });

  test('a restart does not lengthen what is left', async () => {
    const block = decision({
      value: attacker.v4,
      direction: 'from',
      expires_at: new Date(Date.now() + 600_000).toISOString(),
    });
    await kernel.hold([block]);
    const restarted = kernel.create();
    expect((await restarted.read(never)).decisionIds.has(block.id)).toBe(true);
    await restarted.hold([{ ...block }], emptyGuard, never);
    expect(kernel.nft('list', 'set', 'inet', 'picket', 'drop_ipv4_from')).toMatch(/timeout (?:10m\s|[89]m\d+s)/);
  });

  test('a decision that is made longer lasts longer, and keeps its counters', async () => {
    await kernel.hold([
      decision({ value: attacker.v4, direction: 'from', expires_at: new Date(Date.now() + 120_000).toISOString() }),
    ]);
    const dropped = async (): Promise<number> => (await kernel.read()).packetsDropped;
    await vi.waitUntil(async () => kernel.network.isCutFrom('attacker', device.v4) && (await dropped()) > 0, 60_000);
    const packetsDropped = await dropped();
    await kernel.hold([
      decision({ value: attacker.v4, direction: 'from', expires_at: new Date(Date.now() + 3_600_000).toISOString() }),
    ]);
    expect(kernel.nft('list', 'set', 'inet', 'picket', 'drop_ipv4_from')).toMatch(/timeout (?:1h|59m)/);
    await kernel.hold([decision({ value: attacker.v6 })]);
    // a late retransmission may be counted in between; what was counted before is never lost
    expect(await dropped()).toBeGreaterThanOrEqual(packetsDropped);
  });

  test('without conntrack a block still holds', async () => {
    kernel.use({ conntrack: ['/nowhere/conntrack'] });
    await kernel.hold([decision({ value: attacker.v4 })]);
    expect(kernel.network.isCutFrom('attacker', device.v4)).toBe(true);
  });
});
