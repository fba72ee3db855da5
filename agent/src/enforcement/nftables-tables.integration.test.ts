import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { DecisionEvent } from '@picket/shared/contract/decision';
import { requireSystem } from '../../../.ci/require-system.ts';
import { countingKernel } from '../testing/counting-kernel.ts';
import { decision } from '../testing/decisions.ts';
import { busyGuard, GatewayKernel } from '../testing/gateway-kernel.ts';
import { addresses, gatewayAddress } from '../testing/network-namespaces.ts';
import { DecisionStore } from './decision-store.ts';
import { Enforcer } from './enforcer.ts';
import { NftKernel } from './nft-kernel.ts';

const { attacker, bystander, device } = addresses;
const never = new AbortController().signal;
const silent = { info: () => {}, warn: () => {} };
const isReady = requireSystem('root', 'ip', 'nft', 'conntrack', 'bash', 'timeout', 'setpriv');

describe.skipIf(!isReady)('our tables in the kernel', { timeout: 240_000 }, () => {
  let kernel: GatewayKernel;

  beforeAll(async () => {
    kernel = await GatewayKernel.open();
  }, 240_000);
  afterAll(async () => {
    await kernel?.[Symbol.asyncDispose]();
  });
  beforeEach(() => kernel.clear());

  test('tables of others stay byte for byte', async () => {
    kernel.nft('add table ip picket; add set ip picket drop_ipv4_from { type ipv4_addr; elements = { 192.0.2.1 } }');
    kernel.nft('add table inet other; add chain inet other c { type filter hook input priority -10; policy accept; }');
    kernel.nft('add rule inet other c ip saddr 192.0.2.1 counter drop');
    onTestFinished(() => void kernel.nft('delete table ip picket; delete table inet other'));
    const others = (): string =>
      kernel.nft('-a', 'list', 'table', 'ip', 'picket') + kernel.nft('-a', 'list', 'table', 'inet', 'other');
    const before = others();
    await kernel.hold([decision({ value: attacker.v4 })]);
    await kernel.hold([decision({ scope: 'port', value: 'udp/1900' })]);
    await kernel.hold([]);
    await kernel.firewall.clear(never);
    expect(others()).toBe(before);
    expect(kernel.nft('list', 'tables').trim().split('\n').toSorted()).toEqual(['table inet other', 'table ip picket']);
  });

  test('a bad value is refused with nothing half applied', async () => {
    const good = decision({ value: attacker.v4 });
    await kernel.hold([good]);
    const before = kernel.nft('-s', 'list', 'table', 'inet', 'picket').replaceAll(/ expires \S+/g, '');
    await expect(
      kernel.hold([good, decision({ value: bystander.v4 }), decision({ value: 'localhost' })]),
    ).rejects.toThrow('not an IPv4 or IPv6 address');
    expect(kernel.nft('-s', 'list', 'table', 'inet', 'picket').replaceAll(/ expires \S+/g, '')).toBe(before);
    expect(kernel.network.reaches('bystander', device.v4)).toBe(true);
  });

  test('however much of our own deletions the kernel announces, it is looked at once, and what others delete is heard', async () => {
    const counting = countingKernel({ nft: kernel.network.inside('gateway', 'nft'), conntrack: ['true'] });
    let announce = (): void => undefined;
    const watch = { restarts: 0, [Symbol.asyncDispose]: () => Promise.resolve() };
    kernel.use({ kernel: { ...counting, watch: (onChanged) => ((announce = onChanged), watch) } });
    let changes = 0;
    kernel.firewall.watch(() => (changes += 1));
    await kernel.hold([decision({ value: attacker.v4 })]);
    await kernel.hold([]);
    counting.calls();
    for (let line = 0; line < 20; line++) announce();
    await kernel.read(); // behind whatever was asked for
    expect(counting.calls()).toEqual({ outline: 2, list: 1 });
    expect(changes).toBe(0);
    kernel.nft('delete table inet picket');
    announce();
    await kernel.read();
    expect(changes).toBe(1);
  });

  test('ten thousand decisions are one batch and one question, and none of them is listed', async () => {
    const counting = countingKernel({ nft: kernel.network.inside('gateway', 'nft'), conntrack: ['true'] });
    kernel.use({ kernel: counting });
    const many = Array.from({ length: 10_000 }, (_, index) =>
      decision({ value: `100.64.${index >> 8}.${index & 255}` }),
    );
    expect((await kernel.hold(many)).decisionIds.size).toBe(10_000);
    expect(counting.calls()).toEqual({ outline: 2, apply: 1 });
    const one = decision({ value: attacker.v4 });
    expect((await kernel.hold([...many, one])).decisionIds.size).toBe(10_001);
    expect(counting.calls()).toEqual({ apply: 1, outline: 1 });
    expect(kernel.network.isCutFrom('attacker', device.v4)).toBe(true);
    expect((await kernel.hold(many)).decisionIds.has(one.id)).toBe(false);
    expect(counting.calls()).toEqual({ apply: 1, outline: 1 });
    expect((await kernel.hold([one])).decisionIds.size).toBe(1);
    expect((await kernel.hold([...many, one])).decisionIds.size).toBe(10_001);
    expect(counting.calls()).toEqual({ apply: 2, outline: 2 });
    expect((await kernel.read()).drift).toBe(null);
    expect(counting.calls()).toEqual({ outline: 1, list: 1 });
    kernel.nft('delete table inet picket');
    expect((await kernel.read()).drift).toBe('the table is gone');
    expect((await kernel.hold(many)).decisionIds.size).toBe(10_000);
    expect(counting.calls()).toEqual({ outline: 2, apply: 1 });
    kernel.use({ kernel: counting }); // as after a restart
    expect((await kernel.hold(many)).decisionIds.size).toBe(10_000);
    expect(counting.calls()).toEqual({ outline: 2, apply: 1 });
    expect((await kernel.read()).drift).toBe(null);
    counting.calls();
    expect((await kernel.hold([])).decisionIds.size).toBe(0);
    expect(counting.calls()).toEqual({ outline: 1, apply: 1 });
    expect((await kernel.hold(many)).decisionIds.size).toBe(10_000);
    expect(counting.calls(), 'a table made anew').toEqual({ outline: 1, apply: 1 });
  });

  test.each(['made anew', 'changed'])('an element that the kernel has not is told, where all is %s', async (how) => {
    const real = new NftKernel({ nft: kernel.network.inside('gateway', 'nft'), conntrack: ['true'] });
    let isLosing = false;
    kernel.use({
      kernel: {
        list: (...args) => real.list(...args),
        outline: (...args) => real.outline(...args),
        async apply(...args) {
          await real.apply(...args);
          if (isLosing) kernel.nft('delete element inet picket drop_ipv4_both { 100.64.0.99 }');
        },
        forget: async () => {},
        watch: (onChanged) => real.watch(onChanged),
      },
    });
    const many = Array.from({ length: 200 }, (_, index) => decision({ value: `100.64.0.${index}` }));
    if (how === 'changed') await kernel.hold([decision({ value: attacker.v4 })]);
    isLosing = true;
    await expect(kernel.hold(many)).rejects.toMatchObject({
      code: 'not-verified',
      message: expect.stringContaining('"drop_ipv4_both 100.64.0.99" is missing'),
    });
    isLosing = false;
    expect((await kernel.hold(many)).decisionIds.size).toBe(200);
  });

  test('whatever somebody else changes in our table is found and repaired', async () => {
    const events: DecisionEvent[] = [];
    using store = DecisionStore.open({ path: ':memory:' });
    await using enforcer = await Enforcer.open({
      store,
      firewall: kernel.firewall,
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
    const whole = kernel.nft('-s', 'list', 'table', 'inet', 'picket').replaceAll(/ (?:expires|timeout) \S+/g, '');
    for (const [index, tampering] of tamperings.entries()) {
      kernel.nft(tampering);
      await enforcer.check();
      expect([tampering, enforcer.stats.drift_repairs]).toEqual([tampering, index + 1]);
      expect(kernel.nft('-s', 'list', 'table', 'inet', 'picket').replaceAll(/ (?:expires|timeout) \S+/g, '')).toBe(
        whole,
      );
    }
    expect(kernel.network.isCutFrom('attacker', device.v4)).toBe(true);
    expect(kernel.network.reaches('attacker', gatewayAddress(attacker.v4), 22)).toBe(true);
    expect(events.map((event) => event.state)).toEqual(['verified']);
  });

  test('without nft, or without the right to use it, the error says what to do', async () => {
    await expect(kernel.create({ nft: ['/nowhere/nft'] }).read(never)).rejects.toMatchObject({
      code: 'missing',
      message: expect.stringContaining('apt install nftables'),
    });
    const unprivileged = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', 'nft'];
    await expect(
      kernel.create({ nft: kernel.network.inside('gateway', ...unprivileged) }).read(never),
    ).rejects.toMatchObject({
      code: 'not-permitted',
      message: expect.stringContaining('CAP_NET_ADMIN'),
    });
  });
});
