/** One call of nft that fails delays what was asked for, and takes nothing of it away for good. */
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { DecisionEvent } from '@picket/shared/contract/decision';
import { requireSystem } from '../../../.ci/require-system.ts';
import { decision } from '../testing/decisions.ts';
import { FailingKernel } from '../testing/failing-kernel.ts';
import { GatewayNamespaces } from '../testing/network-namespaces.ts';
import { DecisionStore } from './decision-store.ts';
import { Enforcer } from './enforcer.ts';
import { emptyGuard } from './guard.ts';
import type { HeldOpenMark } from './held-open.ts';
import { NftKernel } from './nft-kernel.ts';
import { NftablesFirewall } from './nftables-firewall.ts';

const never = new AbortController().signal;
const isReady = requireSystem('root', 'ip', 'nft');
const byOwner: HeldOpenMark = { since_ms: 1, until_ms: null, boot_id: '', until_uptime_ms: null, who: 'owner' };
const [one, two] = ['203.0.113.1', '203.0.113.2'];

describe.skipIf(!isReady)('after one call of nft that failed', { timeout: 240_000 }, () => {
  let network: GatewayNamespaces;
  let kernel: FailingKernel;
  let firewall: NftablesFirewall;
  let events: DecisionEvent[];
  let mark: HeldOpenMark | undefined;

  const nft = (...args: readonly string[]): string => network.run('gateway', 'nft', ...args);
  /** Addresses that sets of these names hold, in every table. */
  const inKernel = (sets = 'drop'): readonly string[] => {
    const { nftables } = JSON.parse(nft('-j', 'list', 'ruleset')) as {
      readonly nftables: readonly { readonly set?: { readonly name: string; readonly elem?: unknown } }[];
    };
    return nftables
      .flatMap(({ set }) => (set?.name.startsWith(sets) === true ? [JSON.stringify(set.elem ?? null)] : []))
      .flatMap((elements) => elements.match(/\d+\.\d+\.\d+\.\d+/g) ?? [])
      .toSorted();
  };
  const open = async (isBridge = false): Promise<Enforcer> => {
    firewall = NftablesFirewall.create({ kernel, isBridge: () => isBridge });
    await firewall.clear(never);
    const store = DecisionStore.open({ path: ':memory:' });
    const enforcer = await Enforcer.open({
      store,
      firewall,
      guard: emptyGuard,
      mode: 'enforce',
      onEvent: (event) => events.push(event),
      log: { info: () => {}, warn: () => {} },
      heldOpen: () => mark,
      checkEveryMs: 3_600_000,
    });
    onTestFinished(async () => {
      await enforcer[Symbol.asyncDispose]();
      await firewall[Symbol.asyncDispose]();
      store[Symbol.dispose]();
    });
    return enforcer;
  };

  beforeAll(async () => {
    network = await GatewayNamespaces.open();
  }, 240_000);
  afterAll(async () => {
    await network?.[Symbol.asyncDispose]();
  });
  beforeEach(() => {
    // what tells of changes is left out: a check is made when a test asks for one
    const real = new NftKernel({ nft: network.inside('gateway', 'nft'), conntrack: ['true'] });
    real.watch = () => ({ restarts: 0, [Symbol.asyncDispose]: async () => {} });
    kernel = new FailingKernel(real);
    events = [];
    mark = undefined;
  });

  test('what was lifted leaves the kernel with the next check', async () => {
    const enforcer = await open();
    const [block, other] = [decision({ value: one }), decision({ value: two })];
    await enforcer.add([block, other]);
    kernel.failNext('apply');
    const [event] = await enforcer.remove([block.id], 'lifted by hand');
    expect([event?.state, event?.detail]).toEqual(['retracted', expect.stringContaining('deadline')]);
    expect(inKernel()).toEqual([one, two]);
    await enforcer.check();
    expect(inKernel()).toEqual([two]);
    expect([enforcer.problem, enforcer.stats.in_force]).toEqual([undefined, 1]);
  });

  test('a gentler mode is what the kernel does after the next check', async () => {
    const enforcer = await open();
    await enforcer.add([decision({ value: one })]);
    kernel.failNext('apply');
    await enforcer.useMode('simulate');
    expect([inKernel('drop'), inKernel('count')]).toEqual([[one], []]);
    await enforcer.check();
    expect([inKernel('drop'), inKernel('count')]).toEqual([[], [one]]);
    expect(enforcer.problem).toBeUndefined();
  });

  test('who only observes takes everything back with the next check', async () => {
    const enforcer = await open();
    await enforcer.add([decision({ value: one })]);
    kernel.failNext('apply');
    await enforcer.useMode('observe');
    expect(inKernel()).toEqual([one]);
    await enforcer.check();
    expect(nft('list', 'tables')).toBe('');
    expect(enforcer.problem).toBeUndefined();
  });

  test('what an earlier run left is taken back by who only observes, though it could not be read at first', async () => {
    const before = await open();
    await before.add([decision({ value: one })]);
    kernel.failNext('list');
    const store = DecisionStore.open({ path: ':memory:' });
    const again = NftablesFirewall.create({ kernel, isBridge: () => false });
    await using enforcer = await Enforcer.open({
      store,
      firewall: again,
      guard: emptyGuard,
      mode: 'observe',
      onEvent: () => {},
      log: { info: () => {}, warn: () => {} },
      checkEveryMs: 3_600_000,
    });
    expect([kernel.hasFailed, inKernel(), enforcer.problem]).toEqual([
      true,
      [one],
      expect.stringContaining('deadline'),
    ]);
    await enforcer.check();
    expect([nft('list', 'tables'), enforcer.problem]).toEqual(['', undefined]);
  });

  test('a new guard is in the kernel after the next check, or as soon as it is given again', async () => {
    const enforcer = await open();
    await enforcer.add([decision({ value: one })]);
    for (const [index, again] of [
      async () => enforcer.check(),
      async () => enforcer.useGuard(structuredClone(enforcer.guard)),
    ].entries()) {
      const address = `198.51.100.${7 + index}`;
      kernel.failNext('apply');
      await enforcer.useGuard({ ...emptyGuard, neverBlock: [address] });
      expect(nft('list', 'ruleset')).not.toContain(address);
      await again();
      expect(nft('list', 'ruleset')).toContain(address);
      expect(enforcer.problem).toBeUndefined();
    }
  });

  test('a kernel that could not be read counts as whole again only after it was read', async () => {
    const enforcer = await open();
    await enforcer.add([decision({ value: one })]);
    nft('flush', 'ruleset');
    kernel.failNext('outline');
    await enforcer.check();
    expect([inKernel(), enforcer.problem]).toEqual([[], expect.stringContaining('deadline')]);
    await enforcer.check();
    expect([inKernel(), enforcer.problem, enforcer.stats.drift_repairs]).toEqual([[one], undefined, 1]);
    kernel.failNext('outline');
    await enforcer.check();
    expect(enforcer.problem).toContain('deadline');
    await enforcer.check();
    expect([enforcer.problem, enforcer.stats.drift_repairs]).toEqual([undefined, 1]);
  });

  test('a gap that could not be closed at once counts until it is', async () => {
    const enforcer = await open();
    await enforcer.add([decision({ value: one })]);
    nft('flush', 'ruleset');
    kernel.failNext('apply');
    await enforcer.check();
    expect([inKernel(), enforcer.stats.gap_ms_total]).toEqual([[], 0]);
    await enforcer.check();
    expect(inKernel()).toEqual([one]);
    expect(enforcer.stats.gap_ms_total).toBeGreaterThan(0);
    expect(enforcer.stats.drift_repairs).toBe(1);
  });

  test('a lift is not said to have worked before the kernel has let go, whatever failed before it', async () => {
    const enforcer = await open();
    await enforcer.add([decision({ value: one })]);
    const block = decision({ value: two });
    kernel.failNext('outline'); // the kernel takes it, and cannot be read back
    expect(await enforcer.add([block])).toMatchObject([{ state: 'failed' }]);
    expect(inKernel()).toEqual([one, two]);
    expect(await enforcer.remove([block.id], 'lifted by hand')).toMatchObject([{ detail: 'lifted by hand' }]);
    expect(inKernel()).toEqual([one]);
  });

  test.each(['inet', 'bridge'] as const)(
    'a gateway that is held open restricts nothing after the next check, though %s failed',
    async (family) => {
      const enforcer = await open(true);
      await enforcer.add([decision({ value: one })]);
      expect(inKernel()).toEqual([one, one]);
      mark = byOwner;
      kernel.failNext('list', family);
      await enforcer.check();
      expect([kernel.hasFailed, inKernel()], 'the other table is gone at once').toEqual([true, [one]]);
      expect(enforcer.problem).toContain('deadline');
      await enforcer.check();
      expect([nft('list', 'tables'), enforcer.problem]).toEqual(['', undefined]);
      mark = undefined;
      await enforcer.check();
      expect(inKernel()).toEqual([one, one]);
    },
  );

  test('what somebody puts in our place while the gateway is held open is taken out', async () => {
    const enforcer = await open();
    const block = decision({ value: one });
    await enforcer.add([block]);
    mark = byOwner;
    await enforcer.check();
    await NftablesFirewall.create({ kernel, isBridge: () => false }).hold([block], emptyGuard, never);
    expect(inKernel()).toEqual([one]);
    await enforcer.check();
    expect(inKernel()).toEqual([]);
  });
});
