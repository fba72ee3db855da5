import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Decision } from '@picket/shared/contract/decision';
import { requireSystem } from '../../../.ci/require-system.ts';
import { decision } from '../testing/decisions.ts';
import { emptyGuard, type Guard } from './guard.ts';
import { NftablesFirewall } from './nftables-firewall.ts';

const isReady = requireSystem('root', 'ip', 'nft', 'ping', 'sysctl');
const never = new AbortController().signal;
const hosts = ['left', 'right', 'third'] as const;
type Host = (typeof hosts)[number];
const numberOf: Readonly<Record<Host, number>> = { left: 2, right: 3, third: 4 };
const v4 = (host: Host): string => `10.50.0.${numberOf[host]}`;
const v6 = (host: Host): string => `fd50::${numberOf[host]}`;
const macOf = (host: Host): string => `02:00:00:00:50:0${numberOf[host]}`;

/** Three hosts on ports of one bridge, whose frames pass no chain of inet unless the kernel is told so. */
describe.skipIf(!isReady)('a gateway that bridges', { timeout: 300_000 }, () => {
  const id = `pkt-${randomUUID().slice(0, 8)}`;
  let firewall: NftablesFirewall;

  const run = (...command: readonly string[]): string => {
    const [program = '', ...args] = command;
    const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`${command.join(' ')}: ${stderr}`);
    return stdout;
  };
  const inside = (host: Host | 'gateway', ...command: readonly string[]): readonly string[] => [
    'ip',
    'netns',
    'exec',
    `${id}-${host}`,
    ...command,
  ];
  const pings = (from: Host, address: string): boolean => {
    const [program = '', ...args] = inside(from, 'ping', '-n', '-q', '-c', '2', '-i', '0.2', '-W', '1', address);
    return spawnSync(program, args, { stdio: 'ignore' }).status === 0;
  };
  /** A busy machine loses an answer now and then: who is to be answered is given a few tries. */
  const reaches = (from: Host, address: string): boolean => Array.from({ length: 20 }).some(() => pings(from, address));
  const isCutFrom = (from: Host, address: string): boolean => !pings(from, address);
  const callInet = (on: 0 | 1): void => {
    run(...inside('gateway', 'sysctl', '-qw', `net.bridge.bridge-nf-call-iptables=${on}`));
  };
  const hold = (decisions: readonly Decision[], guard: Partial<Guard> = {}) =>
    firewall.hold(decisions, { ...emptyGuard, ...guard }, never);

  beforeAll(() => {
    run('ip', 'netns', 'add', `${id}-gateway`);
    run('ip', '-n', `${id}-gateway`, 'link', 'add', 'br0', 'type', 'bridge');
    run('ip', '-n', `${id}-gateway`, 'link', 'set', 'br0', 'up');
    for (const host of hosts) {
      const where = `${id}-${host}`;
      run('ip', 'netns', 'add', where);
      run('ip', 'link', 'add', 'eth0', 'netns', where, 'type', 'veth', 'peer', 'name', host, 'netns', `${id}-gateway`);
      run('ip', '-n', where, 'link', 'set', 'eth0', 'address', macOf(host));
      run('ip', '-n', `${id}-gateway`, 'link', 'set', host, 'master', 'br0', 'up');
      run('ip', '-n', where, 'address', 'add', `${v4(host)}/24`, 'dev', 'eth0');
      run('ip', '-n', where, 'address', 'add', `${v6(host)}/64`, 'dev', 'eth0', 'nodad');
      run('ip', '-n', where, 'link', 'set', 'eth0', 'up');
    }
    callInet(0);
  });
  afterAll(() => {
    for (const host of [...hosts, 'gateway']) spawnSync('ip', ['netns', 'del', `${id}-${host}`], { stdio: 'ignore' });
  });
  beforeEach(async () => {
    firewall = NftablesFirewall.create({ nft: inside('gateway', 'nft'), isBridge: () => true });
    await firewall.clear(never);
  });

  test('a block holds between ports of the bridge, for nobody else, whether inet sees the frames or not', async () => {
    expect(reaches('left', v4('right'))).toBe(true);
    const block = decision({ value: v4('left') });
    for (const on of [0, 1] as const) {
      callInet(on);
      expect([...(await hold([block])).decisionIds]).toEqual([block.id]);
      expect(isCutFrom('left', v4('right'))).toBe(true);
      expect(isCutFrom('right', v4('left'))).toBe(true);
      expect(reaches('left', v6('right'))).toBe(true);
      expect(reaches('third', v4('right'))).toBe(true);
      const reading = await firewall.read(never);
      expect(reading.packetsDropped).toBeGreaterThan(1);
      expect(reading.packetsOf.get(block.id)).toBeGreaterThan(1);
      await hold([]);
      expect(reaches('left', v4('right'))).toBe(true);
    }
    callInet(0);
  });

  test('IPv6 and prefixes are blocked as well', async () => {
    expect(reaches('left', v6('right'))).toBe(true);
    await hold([decision({ scope: 'cidr', value: 'fd50::2/127' })]);
    expect(isCutFrom('left', v6('third'))).toBe(true);
    expect(isCutFrom('right', v6('third'))).toBe(true);
    expect(reaches('left', v4('third'))).toBe(true);
    await hold([decision({ value: v6('left') }), decision({ scope: 'cidr', value: `${v4('left')}/31` })]);
    expect(isCutFrom('left', v6('third'))).toBe(true);
    expect(reaches('right', v6('third'))).toBe(true);
    expect(isCutFrom('left', v4('third'))).toBe(true);
  });

  test('a device in quarantine by its MAC neither sends nor is sent to, though no address of it is known', async () => {
    await hold([decision({ action: 'quarantine', scope: 'device', value: macOf('left') })]);
    expect(isCutFrom('left', v4('right'))).toBe(true);
    expect(isCutFrom('right', v6('left'))).toBe(true);
    expect(reaches('right', v4('third'))).toBe(true);
    await hold([decision({ action: 'quarantine', scope: 'device', value: macOf('left'), direction: 'to' })]);
    expect(isCutFrom('right', v4('left'))).toBe(true);
  });

  test('simulate counts and carries on; what the owner lists is carried whatever is decided', async () => {
    await hold([decision({ value: v4('left'), mode: 'simulate' })]);
    expect(reaches('left', v4('right'))).toBe(true);
    const reading = await firewall.read(never);
    expect([reading.packetsWouldDrop > 1, reading.packetsDropped]).toEqual([true, 0]);
    await hold([decision({ value: v4('left') })], { neverBlock: [v4('right')] });
    expect(reaches('left', v4('right'))).toBe(true);
    expect(isCutFrom('left', v4('third'))).toBe(true);
  });

  test('a bridge that comes or goes is noticed, and a table taken from the bridge is put back', async () => {
    let isBridge = false;
    firewall = NftablesFirewall.create({ nft: inside('gateway', 'nft'), isBridge: () => isBridge });
    const block = decision({ value: v4('left') });
    await hold([block]);
    expect(reaches('left', v4('right'))).toBe(true);
    isBridge = true;
    expect((await firewall.read(never)).drift).toContain('a bridge');
    await hold([block]);
    expect(isCutFrom('left', v4('right'))).toBe(true);
    run(...inside('gateway', 'nft', 'delete', 'table', 'bridge', 'picket'));
    expect((await firewall.read(never)).drift).toBe('the table is gone');
    expect((await hold([block])).drift).toBeNull();
    expect(isCutFrom('left', v4('right'))).toBe(true);
  });
});
