import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { requireSystem } from '../../../.ci/require-system.ts';
import { DecisionStore } from '../enforcement/decision-store.ts';
import { Enforcer } from '../enforcement/enforcer.ts';
import { emptyGuard } from '../enforcement/guard.ts';
import { NftKernel } from '../enforcement/nft-kernel.ts';
import { NftablesFirewall } from '../enforcement/nftables-firewall.ts';
import { decision } from '../testing/decisions.ts';
import { GatewayNamespaces } from '../testing/network-namespaces.ts';
import { failOpen } from './fail-open.ts';

const isReady = requireSystem('root', 'ip', 'nft');
const never = new AbortController().signal;

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'picket-fail-open-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

describe.skipIf(!isReady)('fail-open', { timeout: 240_000 }, () => {
  test('does not claim to have undone what an agent with another state directory puts back', async () => {
    await using network = await GatewayNamespaces.open();
    const nft = network.inside('gateway', 'nft');
    const isHeld = (): boolean => network.run('gateway', 'nft', 'list', 'ruleset').includes('203.0.113.9');
    const firewall = NftablesFirewall.create({ nft, isBridge: () => false });
    await firewall.clear(never);
    const elsewhere = folder();
    const kernel = new NftKernel({ nft });
    {
      using store = DecisionStore.open({ path: ':memory:' });
      await using enforcer = await Enforcer.open({
        store,
        firewall,
        guard: emptyGuard,
        mode: 'enforce',
        onEvent: () => {},
        log: { info: () => {}, warn: () => {} },
        checkEveryMs: 200,
      });
      await enforcer.add([decision({ value: '203.0.113.9' })]);
      const report = await failOpen(elsewhere, undefined, kernel);
      expect(report.problem?.message).toContain('--state-dir');
      expect([report.tables, report.agent]).toEqual([[], 'not running']);
      expect(report.lines.join('\n')).not.toMatch(/undone|no agent is running/);
    }
    await firewall[Symbol.asyncDispose]();
    expect(isHeld()).toBe(true);
    const report = await failOpen(elsewhere, undefined, kernel);
    expect([report.problem, report.tables, isHeld()]).toEqual([null, ['inet picket'], false]);
    expect(report.lines.join('\n')).toContain('no agent is running');
  });
});
