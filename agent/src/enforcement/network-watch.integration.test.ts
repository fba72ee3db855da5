import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { expect, onTestFinished, test, vi } from 'vitest';
import { requireSystem } from '../../../.ci/require-system.ts';
import { NetworkWatch } from './network-watch.ts';

const isReady = requireSystem('root', 'ip');
const noWarning = (text: string): void => {
  throw new Error(text);
};

test.skipIf(!isReady)(
  'an address that comes is told, and many changes at once are few calls',
  async () => {
    const namespace = `pkt-${randomUUID().slice(0, 8)}`;
    const ip = (...args: readonly string[]): void => {
      const { status, stderr } = spawnSync('ip', args, { encoding: 'utf8' });
      if (status !== 0) throw new Error(`ip ${args.join(' ')}: ${stderr}`);
    };
    ip('netns', 'add', namespace);
    onTestFinished(() => ip('netns', 'del', namespace));
    let calls = 0;
    let paced = 0;
    await using _watch = NetworkWatch.start({
      ip: ['ip', '-n', namespace],
      pace: {
        next: () => {
          paced += 1;
          return 200;
        },
      },
      onChange: async () => void (calls += 1),
      onWarning: noWarning,
    });
    // nobody says when the program listens: the first change that is heard is the proof
    let address = 0;
    await vi.waitUntil(
      () => {
        address += 1;
        ip('-n', namespace, 'address', 'add', `10.1.${address >> 8}.${address & 255}/32`, 'dev', 'lo');
        return calls > 0;
      },
      { timeout: 60_000, interval: 100 },
    );
    const before = calls;
    for (let index = 0; index < 20; index++) ip('-n', namespace, 'address', 'add', `10.0.1.${index}/32`, 'dev', 'lo');
    await vi.waitUntil(() => calls > before, 60_000);
    expect(calls - before).toBeLessThan(20);
    expect(paced, 'none of them unasked').toBeGreaterThanOrEqual(calls);
  },
  240_000,
);

test.skipIf(!isReady)(
  'of neighbours only what is news is told, however many others there are',
  async () => {
    const namespace = `pkt-${randomUUID().slice(0, 8)}`;
    const ip = (...args: readonly string[]): void => {
      const { status, stderr } = spawnSync('ip', ['-n', namespace, ...args], { encoding: 'utf8' });
      if (status !== 0) throw new Error(`ip ${args.join(' ')}: ${stderr}`);
    };
    spawnSync('ip', ['netns', 'add', namespace]);
    onTestFinished(() => void spawnSync('ip', ['netns', 'del', namespace]));
    ip('link', 'add', 'lan0', 'type', 'veth', 'peer', 'name', 'lan1');
    for (const leg of ['lan0', 'lan1']) ip('link', 'set', leg, 'up');
    ip('address', 'add', '192.0.2.254/24', 'dev', 'lan0');
    const told: string[] = [];
    let calls = 0;
    await using _watch = NetworkWatch.start({
      ip: ['ip', '-n', namespace],
      isNews: ({ address, mac, link }) =>
        told.push(`${address} ${mac} ${link}`) > 0 && address === '192.0.2.1' && mac.endsWith(':99'),
      onChange: async () => void (calls += 1),
      onWarning: noWarning,
    });
    const neighbour = (address: string, mac: string): void =>
      ip('neigh', 'replace', address, 'lladdr', mac, 'dev', 'lan0', 'nud', 'reachable');
    await vi.waitUntil(
      () => {
        neighbour('192.0.2.2', `02:00:00:00:00:${10 + (told.length % 80)}`);
        neighbour('192.0.2.1', '02:00:00:00:00:01');
        return told.includes('192.0.2.1 02:00:00:00:00:01 lan0');
      },
      { timeout: 60_000, interval: 100 },
    );
    expect(calls).toBe(0);
    neighbour('192.0.2.1', '02:00:00:00:00:99');
    await vi.waitUntil(() => calls > 0, 60_000);
  },
  240_000,
);

test('without the program it warns once and goes on', { timeout: 120_000 }, async () => {
  const warnings: string[] = [];
  await using _watch = NetworkWatch.start({
    ip: ['/nowhere/ip'],
    onChange: async () => {},
    onWarning: (text) => warnings.push(text),
  });
  await vi.waitUntil(() => warnings.length > 0, 60_000);
  expect(warnings).toEqual([expect.stringContaining('changes of the network are only seen')]);
});
