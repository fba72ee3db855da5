/**
 * A real attack is cut off in the kernel: attacker, gateway and device are network namespaces, the tools are real, the
 * agent is the program its owner runs. Looked at from outside only: what the kernel holds, and who still gets through.
 */
import { describe, expect, test } from 'vitest';
import { requireSystem } from '../require-system.ts';
import { GatewayAgent, elementsNaming, kernelElements } from './gateway-agent.ts';
import { GuardedNetwork } from './namespaces.ts';
import { type RunningProgram, eventually } from './running-program.ts';

const canRun = requireSystem('root', 'ip', 'nft', 'tcpdump', 'nmap', 'hping3', 'hydra', 'nginx', 'sshd', 'curl');

/** Generous, for the machine may be busy; bench/time-to-block.ts measures how long it really takes. */
const blockDeadlineMs = 30_000;
const blockSeconds = 15;

/** Block whatever attack is proven by two windows, shortly: the tests wait for the end of it. */
const rules = [
  {
    name: 'Cut it off',
    action: 'block',
    min_windows: 2,
    of_windows: 3,
    cooldown_seconds: 5,
    duration_seconds: blockSeconds,
  },
];

const attacks = {
  'nmap SYN scan': ({ device }: GuardedNetwork) => [
    'nmap',
    '-n',
    '-Pn',
    '-sS',
    '-T4',
    '--max-rate',
    '150',
    '-p',
    '1-8000',
    device.address,
  ],
  'hping3 SYN flood': ({ device }: GuardedNetwork) => [
    'hping3',
    '-q',
    '-n',
    '-S',
    '-p',
    '80',
    '-i',
    'u1000',
    '-c',
    '40000',
    device.address,
  ],
  // hydra writes where it stands
  'hydra on ssh': ({ device, folder }: GuardedNetwork) => [
    'env',
    '-C',
    folder,
    'hydra',
    '-I',
    '-q',
    '-l',
    'root',
    '-x',
    '4:4:a',
    '-t',
    '16',
    `ssh://${device.address}`,
  ],
} as const;

/** Asks for a page about once a second and prints `ok` or `cut`. */
function visitOften(network: GuardedNetwork): RunningProgram {
  const once = `curl -s -f -m 5 -o /dev/null http://${network.device.address}/index.html && echo ok || echo cut`;
  return network.start(network.bystander.namespace, ['bash', '-c', `while :; do ${once}; sleep 1; done`]);
}

const attackerIsHeld = (network: GuardedNetwork) => elementsNaming(network, network.attacker.address);

async function untilBlocked(network: GuardedNetwork, agent: GatewayAgent): Promise<void> {
  try {
    await eventually(
      () => attackerIsHeld(network),
      (elements) => elements.length > 0,
      blockDeadlineMs,
    );
  } catch (error) {
    throw new Error(`the attacker was not blocked; the agent said:\n${agent.program.output}`, { cause: error });
  }
}

async function startAgent(network: GuardedNetwork, mode: 'enforce' | 'simulate'): Promise<GatewayAgent> {
  const agent = await GatewayAgent.start(network, { mode, rules });
  await agent.untilReady(blockDeadlineMs);
  return agent;
}

describe.skipIf(!canRun)('prevention in the kernel', { timeout: 180_000 }, () => {
  test.each(Object.entries(attacks))(
    '%s: the attacker is cut, the bystander goes on, and the block ends by itself',
    async (_, attack) => {
      await using network = await GuardedNetwork.open(['web', 'ssh']);
      const agent = await startAgent(network, 'enforce');
      expect(await network.reachesDevice(network.attacker)).toBe(true);
      const bystander = visitOften(network);
      await bystander.untilPrinted(/ok/, 10_000);

      const attacker = network.start(network.attacker.namespace, attack(network));
      await untilBlocked(network, agent);
      expect(await network.reachesDevice(network.attacker)).toBe(false);
      expect(await network.pingsDevice(network.attacker)).toBe(false);
      await attacker.stop('SIGKILL');

      await eventually(
        () => attackerIsHeld(network),
        (elements) => elements.length === 0,
        60_000,
      );
      await eventually(() => network.reachesDevice(network.attacker), Boolean, 10_000);
      expect(bystander.output).toMatch(/ok/);
      expect(bystander.output).not.toMatch(/cut/);
      expect(await elementsNaming(network, network.bystander.address)).toEqual([]);
      await agent.program.stop('SIGTERM');
    },
  );

  test('an agent killed with -9 leaves its block in place, and the kernel ends it', async () => {
    await using network = await GuardedNetwork.open(['web', 'ssh']);
    const agent = await startAgent(network, 'enforce');
    const attacker = network.start(network.attacker.namespace, attacks['nmap SYN scan'](network));
    await untilBlocked(network, agent);
    await attacker.stop('SIGKILL');
    await agent.program.stop('SIGKILL');

    const [held] = await attackerIsHeld(network);
    expect(held?.expires).toBeLessThanOrEqual(blockSeconds);
    expect(await network.reachesDevice(network.attacker)).toBe(false);
    expect(await network.reachesDevice(network.bystander)).toBe(true);
    await eventually(
      () => attackerIsHeld(network),
      (elements) => elements.length === 0,
      60_000,
    );
    expect(await network.reachesDevice(network.attacker)).toBe(true);
  });

  test('in simulate mode the attacker is counted in the kernel and never cut', async () => {
    await using network = await GuardedNetwork.open(['web', 'ssh']);
    const agent = await startAgent(network, 'simulate');
    const attacker = network.start(network.attacker.namespace, attacks['nmap SYN scan'](network));
    await untilBlocked(network, agent);
    expect(await network.reachesDevice(network.attacker)).toBe(true);
    const counted = await eventually(
      () => attackerIsHeld(network),
      (elements) => elements.some(({ packets }) => packets > 0),
      blockDeadlineMs,
    );
    expect(counted.every(({ set }) => set.startsWith('count'))).toBe(true);
    await attacker.stop('SIGKILL');
  });

  test('a decision made by hand reaches the kernel, is listed, and is lifted', async () => {
    await using network = await GuardedNetwork.open(['web']);
    const agent = await startAgent(network, 'enforce');
    const { address } = network.bystander;
    const added = await agent.command('decisions', 'add', '--ip', address, '--duration', '10m', '--reason', 'by hand');
    expect(added).toMatchObject({ status: 0 });
    expect(await elementsNaming(network, address)).not.toEqual([]);
    expect(await network.reachesDevice(network.bystander)).toBe(false);
    expect(await network.reachesDevice(network.attacker)).toBe(true);
    expect((await agent.command('decisions', 'list')).stdout).toContain(address);

    expect(await agent.command('decisions', 'delete', address)).toMatchObject({ status: 0 });
    expect(await elementsNaming(network, address)).toEqual([]);
    expect(await network.reachesDevice(network.bystander)).toBe(true);
    expect((await agent.command('decisions', 'list')).stdout).not.toContain(address);
  });

  test('the gateway itself and over-wide prefixes are refused by name, and nothing changes in the kernel', async () => {
    await using network = await GuardedNetwork.open(['web']);
    const agent = await startAgent(network, 'enforce');
    const before = await kernelElements(network);
    for (const value of ['192.168.77.1', '0.0.0.0/0', '192.0.0.0/8']) {
      const scope = value.includes('/') ? 'cidr' : 'ip';
      const refused = await agent.command('decisions', 'add', '--scope', scope, '--value', value, '--duration', '1m');
      expect({ value, status: refused.status }).not.toEqual({ value, status: 0 });
      expect(refused.stderr).toContain('refused');
    }
    expect(await kernelElements(network)).toEqual(before);
  });
});
