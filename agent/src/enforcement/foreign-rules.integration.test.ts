import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { requireSystem } from '../../../.ci/require-system.ts';
import { decision } from '../testing/decisions.ts';
import { addresses, gatewayAddress, GatewayNamespaces } from '../testing/network-namespaces.ts';
import { emptyGuard } from './guard.ts';
import { NftablesFirewall } from './nftables-firewall.ts';

const { attacker, bystander, device } = addresses;
const never = new AbortController().signal;
const folder = fileURLToPath(new URL('../testing/foreign-rules/', import.meta.url));
const isReady = requireSystem('root', 'ip', 'nft', 'conntrack', 'bash', 'timeout');

describe.skipIf(!isReady)('beside the rules of others', { timeout: 300_000 }, () => {
  let network: GatewayNamespaces;
  let firewall: NftablesFirewall;
  const nft = (...args: readonly string[]): string => network.run('gateway', 'nft', ...args);
  /** Everything but ours, without what counts. */
  const others = (): string => {
    const tables = nft('list', 'tables')
      .trim()
      .split('\n')
      .filter((table) => !table.endsWith(' picket'));
    return tables.map((table) => nft('-s', '-a', 'list', ...table.split(' '))).join('\n');
  };
  const hold = (...values: readonly string[]) =>
    firewall.hold(
      values.map((value) => decision({ value })),
      emptyGuard,
      never,
    );

  beforeAll(async () => {
    network = await GatewayNamespaces.open();
    firewall = NftablesFirewall.create({
      nft: network.inside('gateway', 'nft'),
      conntrack: network.inside('gateway', 'conntrack'),
      isBridge: () => false,
    });
  }, 240_000);
  afterAll(async () => {
    await firewall?.[Symbol.asyncDispose]();
    await network?.[Symbol.asyncDispose]();
  });

  test.each(readdirSync(folder))('%s: blocks hold, nobody else is cut, and not a byte of it changes', async (file) => {
    onTestFinished(() => void nft('flush', 'ruleset'));
    nft('-f', `${folder}${file}`);
    const before = others();
    const published =
      file === 'docker.nft' ? ([gatewayAddress(attacker.v4), 8080] as const) : ([device.v4, 80] as const);
    const [address, port] = published;
    await hold();
    expect(network.reaches('attacker', address, port)).toBe(true);
    expect(network.reaches('attacker', gatewayAddress(attacker.v4), 22)).toBe(true);
    const reading = await hold(attacker.v4);
    expect(reading.decisionIds.size).toBe(1);
    expect(network.isCutFrom('attacker', address, port)).toBe(true);
    expect(network.isCutFrom('attacker', gatewayAddress(attacker.v4), 22)).toBe(true);
    expect(network.isCutFrom('device', attacker.v4)).toBe(true);
    expect(network.reaches('bystander', gatewayAddress(bystander.v4), 22)).toBe(true);
    const dropped = async (): Promise<number> => (await firewall.read(never)).packetsDropped;
    const isCounted = async (): Promise<boolean> =>
      network.isCutFrom('attacker', address, port) && (await dropped()) > 2;
    await vi.waitUntil(isCounted, 60_000);
    expect(others()).toBe(before);
    await hold();
    expect(network.reaches('attacker', address, port)).toBe(true);
    await firewall.clear(never);
    expect(others()).toBe(before);
  });

  test('a published port: who is cut is the outside host, and its running connection, behind the translation', async () => {
    onTestFinished(() => void nft('flush', 'ruleset'));
    nft('-f', `${folder}docker.nft`);
    await hold();
    const gateway = gatewayAddress(attacker.v4);
    expect(network.reaches('attacker', gateway, 8080)).toBe(true);
    const entries = (): string => network.run('gateway', 'conntrack', '-L', '-s', attacker.v4, '-p', 'tcp');
    expect(entries()).toContain(`src=${device.v4}`);
    await firewall.hold([decision({ scope: 'pair', value: `${attacker.v4} ${device.v4}` })], emptyGuard, never);
    await expect.poll(entries, { timeout: 60_000 }).not.toContain(`src=${device.v4}`);
    expect(network.isCutFrom('attacker', gateway, 8080)).toBe(true);
    expect(network.reaches('attacker', gateway, 22)).toBe(true);
    await firewall.clear(never);
  });
});
