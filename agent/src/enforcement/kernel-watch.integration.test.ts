import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { requireSystem } from '../../../.ci/require-system.ts';
import { decision } from '../testing/decisions.ts';
import { GatewayNamespaces } from '../testing/network-namespaces.ts';
import { DecisionStore } from './decision-store.ts';
import { Enforcer } from './enforcer.ts';
import { emptyGuard } from './guard.ts';
import { NftablesFirewall } from './nftables-firewall.ts';

const isReady = requireSystem('root', 'ip', 'nft', 'setpriv');
const never = new AbortController().signal;
const patience = { timeout: 60_000, interval: 50 };

describe.skipIf(!isReady)('who takes our rules away', { timeout: 600_000 }, () => {
  test('is heard at once, by a monitor that was killed too, and every gap is counted', async () => {
    await using network = await GatewayNamespaces.open();
    const folder = mkdtempSync(join(tmpdir(), 'monitor-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    // says which process the monitor is, before it becomes it
    const pids = join(folder, 'pids');
    const script = `case "$*" in *monitor*) echo $$ >> ${pids};; esac; exec nft "$@"`;
    const nft = network.inside('gateway', 'sh', '-c', script, 'nft');
    const monitors = (): readonly number[] =>
      existsSync(pids) ? readFileSync(pids, 'utf8').trim().split('\n').map(Number) : [];
    const firewall = NftablesFirewall.create({ nft, isBridge: () => false });
    await firewall.clear(never);
    using store = DecisionStore.open({ path: ':memory:' });
    await using enforcer = await Enforcer.open({
      store,
      firewall,
      guard: emptyGuard,
      mode: 'enforce',
      onEvent: () => {},
      log: { info: () => {}, warn: () => {} },
      checkEveryMs: 3_600_000, // nothing but the monitor can tell
    });
    await enforcer.add([decision({ value: '203.0.113.9' })]);
    const isHeld = (): boolean => network.run('gateway', 'nft', 'list', 'ruleset').includes('203.0.113.9');
    /** The last monitor is subscribed to what nftables announces (group 7 of protocol 12), and not only started. */
    const isHeard = (): boolean => {
      const line = new RegExp(`^\\S+ +12 +${monitors().at(-1) ?? 'none'} +0*40 `, 'm');
      return line.test(network.run('gateway', 'cat', '/proc/net/netlink'));
    };
    await vi.waitUntil(() => monitors().length === 1 && isHeard(), patience);
    const loseAndRegain = async (...tampering: readonly string[]): Promise<void> => {
      const { gap_ms_total: before = 0, drift_repairs: repairs } = enforcer.stats;
      network.run('gateway', 'nft', ...tampering);
      await vi.waitUntil(() => (enforcer.stats.gap_ms_total ?? 0) > before, patience); // closed, read back and counted
      expect(isHeld()).toBe(true);
      expect(enforcer.stats.drift_repairs).toBeGreaterThan(repairs);
    };
    await loseAndRegain('flush', 'ruleset');
    await loseAndRegain('delete', 'table', 'inet', 'picket');
    expect(enforcer.stats.monitor_restarts).toBe(0);
    const [first = 0] = monitors();
    process.kill(first, 'SIGKILL');
    await loseAndRegain('flush', 'ruleset'); // between two monitors, or heard by the second
    await vi.waitUntil(() => monitors().length >= 2 && isHeard(), patience);
    expect(enforcer.stats.monitor_restarts).toBeGreaterThan(0);
    await loseAndRegain('flush', 'ruleset');
    const { gap_ms_total: total, gap_ms_max: longest = 0 } = enforcer.stats;
    expect(longest).toBeGreaterThan(0);
    expect(total).toBeGreaterThan(longest);
  });
});
