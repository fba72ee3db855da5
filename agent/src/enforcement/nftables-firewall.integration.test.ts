import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Decision, DecisionEvent } from '@picket/shared/contract/decision';
import { requireSystem } from '../../../.ci/require-system.ts';
import { decision } from '../testing/decisions.ts';
import { addresses, deviceMac, gatewayAddress, GatewayNamespaces } from '../testing/network-namespaces.ts';
import { DecisionStore } from './decision-store.ts';
import { Enforcer } from './enforcer.ts';
import { emptyGuard, type Guard } from './guard.ts';
import type { Kernel } from './kernel.ts';
import { NftKernel, type NftKernelOptions } from './nft-kernel.ts';
import { NftablesFirewall, type NftablesFirewallOptions } from './nftables-firewall.ts';

const { attacker, bystander, device } = addresses;
const never = new AbortController().signal;
const silent = { info: () => {}, warn: () => {} };

/** The kernel itself, and what it was called for since it was last asked. */
function countingKernel(options: NftKernelOptions): Kernel & { calls(): Readonly<Record<string, number>> } {
  let calls: Record<string, number> = {};
  const kernel = new NftKernel(options);
  const count = (name: string): void => void (calls[name] = (calls[name] ?? 0) + 1);
  return {
    list: (...args) => (count('list'), kernel.list(...args)),
    outline: (...args) => (count('outline'), kernel.outline(...args)),
    apply: (...args) => (count('apply'), kernel.apply(...args)),
    forget: (...args) => kernel.forget(...args),
    watch: (onChanged) => kernel.watch(onChanged),
    calls() {
      const counted = calls;
      calls = {};
      return counted;
    },
  };
}
const busyGuard = {
  ...emptyGuard,
  adminPrefixes: ['203.0.113.0/24'],
  managementPorts: [22],
  neverBlock: ['198.51.100.7'],
};
const isReady = requireSystem('root', 'ip', 'nft', 'conntrack', 'bash', 'timeout', 'setpriv');

describe.skipIf(!isReady)('the kernel', { timeout: 240_000 }, () => {
  let network: GatewayNamespaces;
  let firewall: NftablesFirewall;

  const createFirewall = (options: NftablesFirewallOptions = {}): NftablesFirewall =>
    NftablesFirewall.create({
      nft: network.inside('gateway', 'nft'),
      conntrack: network.inside('gateway', 'conntrack'),
      addressesOf: (mac) => (mac === deviceMac ? [device.v4, device.v6] : []),
      ...options,
    });
  const hold = (decisions: readonly Decision[], guard: Partial<Guard> = {}) =>
    firewall.hold(decisions, { ...emptyGuard, ...guard }, never);
  const nft = (...args: readonly string[]): string => network.run('gateway', 'nft', ...args);

  beforeAll(async () => {
    network = await GatewayNamespaces.open();
  }, 240_000);
  afterAll(async () => {
    await network?.[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    firewall = createFirewall();
    await firewall.clear(never);
  });

  test('a block cuts forwarded and local traffic of one host, for nobody else, until it is lifted', async () => {
    expect(network.reaches('attacker', device.v4)).toBe(true);
    expect(network.reaches('attacker', gatewayAddress(attacker.v4))).toBe(true);
    const block = decision({ value: attacker.v4 });
    const reading = await hold([block]);
    expect([...reading.decisionIds]).toEqual([block.id]);
    expect(network.isCutFrom('attacker', device.v4)).toBe(true);
    expect(network.isCutFrom('attacker', gatewayAddress(attacker.v4))).toBe(true);
    expect(network.isCutFrom('gateway', attacker.v4)).toBe(true);
    expect(network.isCutFrom('device', attacker.v4)).toBe(true);
    expect(network.reaches('bystander', device.v4)).toBe(true);
    expect((await firewall.read(never)).packetsDropped).toBeGreaterThan(0);
    expect((await hold([])).decisionIds.size).toBe(0);
    expect(network.reaches('attacker', device.v4)).toBe(true);
  });

  test('while nobody is restricted no packet meets a chain of ours, also once the last decision has run out', async () => {
    const hooks = (): number => nft('list', 'table', 'inet', 'picket').split('hook').length - 1;
    using store = DecisionStore.open({ path: ':memory:' });
    await using enforcer = await Enforcer.open({
      store,
      firewall,
      guard: busyGuard,
      mode: 'enforce',
      onEvent: () => {},
      log: silent,
      checkEveryMs: 3_600_000,
    });
    expect(hooks()).toBe(0);
    expect(nft('list', 'table', 'inet', 'picket')).not.toContain('ct state'); // it would have all connections tracked
    const short = decision({ value: attacker.v4, expires_at: new Date(Date.now() + 20_000).toISOString() });
    const [lifted] = await enforcer.add([decision({ value: bystander.v4, mode: 'simulate' })]);
    expect(await enforcer.add([short])).toMatchObject([{ state: 'verified' }]);
    expect(hooks()).toBe(3);
    await enforcer.remove([lifted!.decision.id], 'lifted by hand');
    expect(hooks()).toBe(3);
    await enforcer.check();
    const own = (): string => nft('list', 'chain', 'inet', 'picket', 'guard_input');
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
    expect(network.isCutFrom('attacker', device.v4)).toBe(true);
  });

  test('IPv6 is blocked as IPv4 is', async () => {
    expect(network.reaches('attacker', device.v6)).toBe(true);
    await hold([decision({ value: attacker.v6 })]);
    expect(network.isCutFrom('attacker', device.v6)).toBe(true);
    expect(network.isCutFrom('attacker', gatewayAddress(attacker.v6))).toBe(true);
    expect(network.reaches('attacker', device.v4)).toBe(true);
    expect(network.reaches('bystander', device.v6)).toBe(true);
  });

  test('a prefix is blocked, its neighbours are not, and one inside it keeps its own end', async () => {
    await hold([
      decision({ scope: 'cidr', value: '203.0.113.0/25' }),
      decision({ scope: 'cidr', value: '2001:db8:1::/64' }),
      decision({ value: attacker.v4 }),
    ]);
    expect(network.isCutFrom('attacker', device.v4)).toBe(true);
    expect(network.isCutFrom('attacker', device.v6)).toBe(true);
    expect(network.reaches('bystander', device.v4)).toBe(true);
    await hold([decision({ scope: 'cidr', value: '203.0.113.128/25' })]);
    expect(network.reaches('attacker', device.v4)).toBe(true);
  });

  test('a pair is cut and its ends still talk to others', async () => {
    await hold([decision({ scope: 'pair', value: `${attacker.v4} ${device.v4}` })]);
    expect(network.isCutFrom('attacker', device.v4)).toBe(true);
    expect(network.isCutFrom('device', attacker.v4)).toBe(true);
    expect(network.reaches('attacker', gatewayAddress(attacker.v4))).toBe(true);
    expect(network.reaches('bystander', device.v4)).toBe(true);
  });

  test('ports are cut for all, or for one host', async () => {
    await hold([decision({ scope: 'port', value: 'tcp/22', direction: 'to' })]);
    expect(network.isCutFrom('bystander', device.v4, 22)).toBe(true);
    expect(network.reaches('bystander', device.v4)).toBe(true);
    await hold([decision({ scope: 'ip+port', value: `${attacker.v4} tcp/22`, direction: 'from' })]);
    expect(network.isCutFrom('attacker', device.v4, 22)).toBe(true);
    expect(network.reaches('attacker', device.v4)).toBe(true);
    expect(network.reaches('bystander', device.v4, 22)).toBe(true);
    await hold([decision({ scope: 'ip+port', value: `${device.v6} tcp/80`, direction: 'to' })]);
    expect(network.isCutFrom('bystander', device.v6, 80)).toBe(true);
    expect(network.reaches('bystander', device.v6, 22)).toBe(true);
  });

  test('a device in quarantine by its MAC neither sends nor is sent to, on either family', async () => {
    await hold([decision({ action: 'quarantine', scope: 'device', value: deviceMac })]);
    expect(network.isCutFrom('device', bystander.v4)).toBe(true);
    expect(network.isCutFrom('device', gatewayAddress(device.v6))).toBe(true);
    expect(network.isCutFrom('bystander', device.v4)).toBe(true);
    expect(network.reaches('bystander', attacker.v4)).toBe(true);
    expect(nft('list', 'set', 'inet', 'picket', 'drop_mac')).toContain(deviceMac);
  });

  test('a device without its WAN still has its gateway, and nothing beyond the LAN, on either family', async () => {
    await hold([decision({ action: 'no_wan', scope: 'device', value: deviceMac })]);
    expect(network.isCutFrom('device', attacker.v4)).toBe(true);
    expect(network.isCutFrom('device', attacker.v6)).toBe(true);
    expect(network.isCutFrom('attacker', device.v4)).toBe(true);
    expect(network.reaches('device', gatewayAddress(device.v4))).toBe(true);
    expect(network.reaches('bystander', attacker.v4)).toBe(true);
  });

  test('simulate counts what it would drop and drops nothing', async () => {
    const block = decision({ value: attacker.v4, mode: 'simulate' });
    expect((await hold([block])).decisionIds.has(block.id)).toBe(true);
    expect(network.reaches('attacker', device.v4)).toBe(true);
    const reading = await firewall.read(never);
    expect(reading.packetsWouldDrop).toBeGreaterThan(2);
    expect(reading.packetsDropped).toBe(0);
  });

  test('a blocked admin keeps the management port, and nothing else', async () => {
    await hold([decision({ value: attacker.v4 }), decision({ value: attacker.v6 })], {
      adminPrefixes: ['203.0.113.0/24', '203.0.113.0/28', '2001:db8:1::/48'],
      managementPorts: [22],
    });
    expect(network.reaches('attacker', gatewayAddress(attacker.v4), 22)).toBe(true);
    expect(network.reaches('attacker', gatewayAddress(attacker.v6), 22)).toBe(true);
    expect(network.isCutFrom('attacker', gatewayAddress(attacker.v4), 80)).toBe(true);
    expect(network.isCutFrom('attacker', device.v4, 22)).toBe(true);
  });

  test('the gateway reaches a blocked controller, and the controller does not reach the gateway', async () => {
    await hold([decision({ value: attacker.v4 })], { controllers: [{ address: attacker.v4, port: 80 }] });
    expect(network.reaches('gateway', attacker.v4)).toBe(true);
    expect(network.isCutFrom('gateway', attacker.v4, 22)).toBe(true);
    expect(network.isCutFrom('attacker', gatewayAddress(attacker.v4), 80)).toBe(true);
    expect(network.isCutFrom('attacker', device.v4)).toBe(true);
  });

  test('what the owner lists is forwarded whatever is decided, and the gateway itself stays closed to it', async () => {
    for (const mode of ['simulate', 'enforce'] as const) {
      await hold([decision({ value: attacker.v4, mode })], { neverBlock: ['203.0.113.0/24', attacker.v4] });
      expect(network.reaches('attacker', device.v4)).toBe(true);
      expect((await firewall.read(never)).packetsOf).toEqual(new Map()); // the guard is asked before anything counts
    }
    expect(network.isCutFrom('attacker', gatewayAddress(attacker.v4))).toBe(true);
  });

  test('a flooded service goes on with what runs and takes new connections slowly', async () => {
    firewall = createFirewall({ rateLimit: { packetsPerSecond: 2, burstPackets: 5 } });
    await hold([decision({ action: 'rate_limit', scope: 'ip+port', value: `${device.v4} tcp/80`, direction: 'to' })]);
    const opened = network.run(
      'attacker',
      process.execPath,
      '-e',
      `let open = 0;
       const net = require('node:net');
       const begun = performance.now();
       for (let index = 0; index < 40; index++) net.connect(80, '${device.v4}', () => { open++; }).on('error', () => {});
       setInterval(() => {
         const seconds = (performance.now() - begun) / 1000;
         if (seconds < 0.7 || (open < 5 && seconds < 30)) return;
         console.log(open, seconds);
         process.exit();
       }, 50);`,
    );
    const [open = 0, seconds = 0] = opened.split(' ').map(Number);
    expect(open).toBeGreaterThanOrEqual(5);
    expect(open, `in ${seconds} s`).toBeLessThan(10 + 2 * seconds); // it is short of 12 where the machine has time
    expect(network.reaches('attacker', device.v4, 22)).toBe(true);
    expect((await firewall.read(never)).packetsDropped).toBeGreaterThan(20);
  });

  test.each(['nothing', 'a mode that counts'])(
    'a connection that runs is cut after %s, though another table accepts what is established',
    async (from) => {
      nft('add table inet other; add chain inet other forward { type filter hook forward priority 0; policy accept; }');
      nft('add rule inet other forward ct state established accept');
      onTestFinished(() => void nft('delete table inet other'));
      await hold([]);
      const [program = '', ...args] = network.inside(
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
      expect(network.run('gateway', 'conntrack', '-L', '-s', attacker.v4)).toContain('dport=80');
      const block = decision({ value: attacker.v4 });
      if (from === 'a mode that counts') {
        await hold([{ ...block, mode: 'simulate' }]);
        const before = echoes;
        await vi.waitUntil(() => echoes > before + 3, 60_000);
      }
      await hold([block]);
      await vi.waitUntil(() => network.run('gateway', 'conntrack', '-L', '-s', attacker.v4) === '', 60_000);
      const dropped = async (): Promise<number> => (await firewall.read(never)).packetsDropped;
      await vi.waitUntil(async () => (await dropped()) > 0, 60_000);
      const [after, sofar] = [echoes, await dropped()];
      await vi.waitUntil(async () => (await dropped()) > sofar + 1, 60_000);
      expect(echoes).toBeLessThanOrEqual(after + 1);
      client.kill('SIGKILL');
      await once(client, 'exit');
    },
  );

  test('a block ends in the kernel though nobody is there to end it', async () => {
    await hold([decision({ value: attacker.v4, expires_at: new Date(Date.now() + 12_000).toISOString() })]);
    await firewall[Symbol.asyncDispose]();
    expect(network.isCutFrom('attacker', device.v4)).toBe(true);
    await vi.waitUntil(() => network.reaches('attacker', device.v4), { timeout: 60_000, interval: 50 });
    expect(nft('list', 'table', 'inet', 'picket')).not.toContain(attacker.v4);
  });

  test('a restart does not lengthen what is left', async () => {
    const block = decision({
      value: attacker.v4,
      direction: 'from',
      expires_at: new Date(Date.now() + 600_000).toISOString(),
    });
    await hold([block]);
    const restarted = createFirewall();
    expect((await restarted.read(never)).decisionIds.has(block.id)).toBe(true);
    await restarted.hold([{ ...block }], emptyGuard, never);
    expect(nft('list', 'set', 'inet', 'picket', 'drop_ipv4_from')).toMatch(/timeout (?:10m\s|[89]m\d+s)/);
  });

  test('a decision that is made longer lasts longer, and keeps its counters', async () => {
    await hold([
      decision({ value: attacker.v4, direction: 'from', expires_at: new Date(Date.now() + 120_000).toISOString() }),
    ]);
    const dropped = async (): Promise<number> => (await firewall.read(never)).packetsDropped;
    await vi.waitUntil(async () => network.isCutFrom('attacker', device.v4) && (await dropped()) > 0, 60_000);
    const packetsDropped = await dropped();
    await hold([
      decision({ value: attacker.v4, direction: 'from', expires_at: new Date(Date.now() + 3_600_000).toISOString() }),
    ]);
    expect(nft('list', 'set', 'inet', 'picket', 'drop_ipv4_from')).toMatch(/timeout (?:1h|59m)/);
    await hold([decision({ value: attacker.v6 })]);
    // a late retransmission may be counted in between; what was counted before is never lost
    expect(await dropped()).toBeGreaterThanOrEqual(packetsDropped);
  });

  test('tables of others stay byte for byte', async () => {
    nft('add table ip picket; add set ip picket drop_ipv4_from { type ipv4_addr; elements = { 192.0.2.1 } }');
    nft('add table inet other; add chain inet other c { type filter hook input priority -10; policy accept; }');
    nft('add rule inet other c ip saddr 192.0.2.1 counter drop');
    onTestFinished(() => void nft('delete table ip picket; delete table inet other'));
    const others = (): string =>
      nft('-a', 'list', 'table', 'ip', 'picket') + nft('-a', 'list', 'table', 'inet', 'other');
    const before = others();
    await hold([decision({ value: attacker.v4 })]);
    await hold([decision({ scope: 'port', value: 'udp/1900' })]);
    await hold([]);
    await firewall.clear(never);
    expect(others()).toBe(before);
    expect(nft('list', 'tables').trim().split('\n').toSorted()).toEqual(['table inet other', 'table ip picket']);
  });

  test('a bad value is refused with nothing half applied', async () => {
    const good = decision({ value: attacker.v4 });
    await hold([good]);
    const before = nft('-s', 'list', 'table', 'inet', 'picket').replaceAll(/ expires \S+/g, '');
    await expect(hold([good, decision({ value: bystander.v4 }), decision({ value: 'localhost' })])).rejects.toThrow(
      'not an IPv4 or IPv6 address',
    );
    expect(nft('-s', 'list', 'table', 'inet', 'picket').replaceAll(/ expires \S+/g, '')).toBe(before);
    expect(network.reaches('bystander', device.v4)).toBe(true);
  });

  test('however much of our own deletions the kernel announces, it is looked at once, and what others delete is heard', async () => {
    const kernel = countingKernel({ nft: network.inside('gateway', 'nft'), conntrack: ['true'] });
    let announce = (): void => undefined;
    const watch = { restarts: 0, [Symbol.asyncDispose]: () => Promise.resolve() };
    firewall = createFirewall({ kernel: { ...kernel, watch: (onChanged) => ((announce = onChanged), watch) } });
    let changes = 0;
    firewall.watch(() => (changes += 1));
    await hold([decision({ value: attacker.v4 })]);
    await hold([]);
    kernel.calls();
    for (let line = 0; line < 20; line++) announce();
    await firewall.read(never); // behind whatever was asked for
    expect(kernel.calls()).toEqual({ outline: 2, list: 1 });
    expect(changes).toBe(0);
    nft('delete table inet picket');
    announce();
    await firewall.read(never);
    expect(changes).toBe(1);
  });

  test('ten thousand decisions are one batch and one question, and none of them is listed', async () => {
    const kernel = countingKernel({ nft: network.inside('gateway', 'nft'), conntrack: ['true'] });
    firewall = createFirewall({ kernel });
    const many = Array.from({ length: 10_000 }, (_, index) =>
      decision({ value: `100.64.${index >> 8}.${index & 255}` }),
    );
    expect((await hold(many)).decisionIds.size).toBe(10_000);
    expect(kernel.calls()).toEqual({ outline: 2, apply: 1 });
    const one = decision({ value: attacker.v4 });
    expect((await hold([...many, one])).decisionIds.size).toBe(10_001);
    expect(kernel.calls()).toEqual({ apply: 1, outline: 1 });
    expect(network.isCutFrom('attacker', device.v4)).toBe(true);
    expect((await hold(many)).decisionIds.has(one.id)).toBe(false);
    expect(kernel.calls()).toEqual({ apply: 1, outline: 1 });
    expect((await hold([one])).decisionIds.size).toBe(1);
    expect((await hold([...many, one])).decisionIds.size).toBe(10_001);
    expect(kernel.calls()).toEqual({ apply: 2, outline: 2 });
    expect((await firewall.read(never)).drift).toBe(null);
    expect(kernel.calls()).toEqual({ outline: 1, list: 1 });
    nft('delete table inet picket');
    expect((await firewall.read(never)).drift).toBe('the table is gone');
    expect((await hold(many)).decisionIds.size).toBe(10_000);
    expect(kernel.calls()).toEqual({ outline: 2, apply: 1 });
    firewall = createFirewall({ kernel }); // as after a restart
    expect((await hold(many)).decisionIds.size).toBe(10_000);
    expect(kernel.calls()).toEqual({ outline: 2, apply: 1 });
    expect((await firewall.read(never)).drift).toBe(null);
    kernel.calls();
    expect((await hold([])).decisionIds.size).toBe(0);
    expect(kernel.calls()).toEqual({ outline: 1, apply: 1 });
    expect((await hold(many)).decisionIds.size).toBe(10_000);
    expect(kernel.calls(), 'a table made anew').toEqual({ outline: 1, apply: 1 });
  });

  test.each(['made anew', 'changed'])('an element that the kernel has not is told, where all is %s', async (how) => {
    const kernel = new NftKernel({ nft: network.inside('gateway', 'nft'), conntrack: ['true'] });
    let isLosing = false;
    firewall = createFirewall({
      kernel: {
        list: (...args) => kernel.list(...args),
        outline: (...args) => kernel.outline(...args),
        async apply(...args) {
          await kernel.apply(...args);
          if (isLosing) nft('delete element inet picket drop_ipv4_both { 100.64.0.99 }');
        },
        forget: async () => {},
        watch: (onChanged) => kernel.watch(onChanged),
      },
    });
    const many = Array.from({ length: 200 }, (_, index) => decision({ value: `100.64.0.${index}` }));
    if (how === 'changed') await hold([decision({ value: attacker.v4 })]);
    isLosing = true;
    await expect(hold(many)).rejects.toMatchObject({
      code: 'not-verified',
      message: expect.stringContaining('"drop_ipv4_both 100.64.0.99" is missing'),
    });
    isLosing = false;
    expect((await hold(many)).decisionIds.size).toBe(200);
  });

  test.each(['enforce', 'simulate'] as const)(
    'what is blocked and limited (%s) meets the block first, whichever came first',
    async (mode) => {
      firewall = createFirewall({ rateLimit: { packetsPerSecond: 1, burstPackets: 1 } });
      const limit = decision({ action: 'rate_limit', value: attacker.v4, mode });
      const block = decision({ value: attacker.v4, direction: 'from', mode });
      const met = async (): Promise<readonly boolean[]> => {
        for (let attempt = 0; attempt < 3; attempt++) network.isCutFrom('attacker', device.v4);
        const { packetsOf } = await firewall.read(never);
        return [packetsOf.has(block.id), packetsOf.has(limit.id)];
      };
      await hold([limit]);
      await hold([limit, block]);
      // the answers of the device are only limited, so only what the attacker sends tells the two apart
      const chain = mode === 'enforce' ? 'decisions' : 'simulated';
      const order = nft('list', 'chain', 'inet', 'picket', chain).match(/@\w+/g);
      expect(order?.map((set) => (set.includes('limit') ? 'limit' : 'drop'))).toEqual(['drop', 'limit', 'limit']);
      expect((await met())[0]).toBe(true);
      if (mode === 'enforce') expect(await met()).toEqual([true, false]);
      await firewall.clear(never);
      await hold([limit, block]); // made in one go
      expect(nft('list', 'chain', 'inet', 'picket', chain).match(/@\w+/g)).toEqual(order);
    },
  );

  test('whatever somebody else changes in our table is found and repaired', async () => {
    const events: DecisionEvent[] = [];
    using store = DecisionStore.open({ path: ':memory:' });
    await using enforcer = await Enforcer.open({
      store,
      firewall,
      guard: busyGuard,
      mode: 'enforce',
      onEvent: (event) => events.push(event),
      log: silent,
      checkEveryMs: 3_600_000,
    });
    expect(await enforcer.add([decision({ value: attacker.v4, direction: 'from' })])).toMatchObject([
      { state: 'verified' },
    ]);
    await enforcer.check();
    expect(enforcer.stats.drift_repairs).toBe(0);
    const tamperings = [
      'delete table inet picket',
      'flush set inet picket drop_ipv4_from',
      'flush chain inet picket decisions',
      'flush chain inet picket guard_input',
      'add element inet picket drop_ipv4_from { 192.0.2.200 }',
      'flush set inet picket never_block_ipv4',
      'insert rule inet picket forward accept',
    ];
    const whole = nft('-s', 'list', 'table', 'inet', 'picket').replaceAll(/ (?:expires|timeout) \S+/g, '');
    for (const [index, tampering] of tamperings.entries()) {
      nft(tampering);
      await enforcer.check();
      expect([tampering, enforcer.stats.drift_repairs]).toEqual([tampering, index + 1]);
      expect(nft('-s', 'list', 'table', 'inet', 'picket').replaceAll(/ (?:expires|timeout) \S+/g, '')).toBe(whole);
    }
    expect(network.isCutFrom('attacker', device.v4)).toBe(true);
    expect(network.reaches('attacker', gatewayAddress(attacker.v4), 22)).toBe(true);
    expect(events.map((event) => event.state)).toEqual(['verified']);
  });

  test('without nft, or without the right to use it, the error says what to do', async () => {
    await expect(createFirewall({ nft: ['/nowhere/nft'] }).read(never)).rejects.toMatchObject({
      code: 'missing',
      message: expect.stringContaining('apt install nftables'),
    });
    const unprivileged = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', 'nft'];
    await expect(createFirewall({ nft: network.inside('gateway', ...unprivileged) }).read(never)).rejects.toMatchObject(
      {
        code: 'not-permitted',
        message: expect.stringContaining('CAP_NET_ADMIN'),
      },
    );
  });

  test('without conntrack a block still holds', async () => {
    firewall = createFirewall({ conntrack: ['/nowhere/conntrack'] });
    await hold([decision({ value: attacker.v4 })]);
    expect(network.isCutFrom('attacker', device.v4)).toBe(true);
  });
});
