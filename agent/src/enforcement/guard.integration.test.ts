import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { requireSystem } from '../../../.ci/require-system.ts';
import { decision } from '../testing/decisions.ts';
import { addresses, gatewayAddress, GatewayNamespaces } from '../testing/network-namespaces.ts';
import { emptyGuard, type Guard } from './guard.ts';
import { NftablesFirewall } from './nftables-firewall.ts';

const { attacker, bystander, device } = addresses;
const gateway = gatewayAddress(attacker.v4);
const never = new AbortController().signal;
const isReady = requireSystem('root', 'ip', 'nft', 'conntrack', 'bash', 'timeout');

/** Prints how many of `count` connections were opened, and in how many seconds: three, or as many as `enough` take. */
const connections = (count: number, options: object, enough: number): string => `
  let open = 0, done = 0;
  const begun = performance.now();
  const seconds = () => (performance.now() - begun) / 1000;
  const end = () => { console.log(open, seconds()); process.exit(); };
  const count = () => { if (++done === ${count}) end(); };
  for (let index = 0; index < ${count}; index++)
    require('node:net').connect(${JSON.stringify(options)}, () => { open++; count(); }).on('error', count);
  setInterval(() => { if (seconds() > (open < ${enough} ? 30 : 3)) end(); }, 50);
`;

describe.skipIf(!isReady)('the guard in the kernel', { timeout: 300_000 }, () => {
  let network: GatewayNamespaces;
  let firewall: NftablesFirewall;
  const block = (guard: Partial<Guard>) =>
    firewall.hold([decision({ value: attacker.v4 })], { ...emptyGuard, ...guard }, never);
  const tryToOpen = (count: number, options: object, enough: number): readonly number[] =>
    network
      .run('attacker', process.execPath, '-e', connections(count, options, enough))
      .split(' ')
      .map(Number);
  /** Of so many connections; where `enough` are to be opened, a busy machine is given its time. */
  const opened = (count: number, options: object, enough = 0): number | undefined =>
    tryToOpen(count, options, enough)[0];

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
  beforeEach(() => firewall.clear(never));

  test('a blocked host does not reach the gateway through it, from whatever port it speaks', async () => {
    const guard = {
      controllers: [{ address: attacker.v4, port: 8883 }],
      dnsServers: [attacker.v4],
      ntpServers: [attacker.v4],
      managementPorts: [22],
      adminPrefixes: [`${bystander.v4}/32`],
      neverBlock: [device.v4],
      ownAddresses: [gateway],
    };
    for (const localPort of [53, 8883]) expect(opened(1, { host: gateway, port: 80, localPort }, 1)).toBe(1);
    await block(guard);
    for (const localPort of [53, 123, 67, 8883]) {
      expect([localPort, opened(1, { host: gateway, port: 80, localPort })]).toEqual([localPort, 0]);
    }
    expect(network.isCutFrom('attacker', gateway, 22)).toBe(true);
    expect(network.isCutFrom('gateway', attacker.v4, 22)).toBe(true);
    expect(network.reaches('attacker', device.v4)).toBe(true); // the owner's list, and nothing but it
    expect(network.reaches('bystander', gatewayAddress(bystander.v4), 22)).toBe(true);
  });

  test('a DHCP answer that nobody asked for does not pass, though it comes from port 67', async () => {
    const listen = `require('node:dgram').createSocket('udp4').on('message', () => console.log('heard'))
      .bind(68, '${gateway}', () => console.log('ready'));`;
    const [program = '', ...args] = network.inside('gateway', process.execPath, '-e', listen);
    const client = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => void client.kill('SIGKILL'));
    let heard = 0;
    client.stdout.setEncoding('utf8').on('data', (text: string) => (heard += text.split('heard').length - 1));
    await once(client.stdout, 'data');
    const send = (): string =>
      network.run(
        'attacker',
        process.execPath,
        '-e',
        `const socket = require('node:dgram').createSocket('udp4');
         socket.bind(67, () => socket.send('offer', 68, '${gateway}', () => socket.close()));`,
      );
    send();
    await expect.poll(() => heard, { timeout: 60_000 }).toBe(1);
    await block({});
    send();
    const dropped = async (): Promise<number> => (await firewall.read(never)).packetsDropped;
    await expect.poll(dropped, { timeout: 60_000 }).toBeGreaterThan(0);
    expect(heard).toBe(1);
  });

  test('a client that guesses passwords is cut with its running session, for it is no admin', async () => {
    const [program = '', ...args] = network.inside(
      'attacker',
      process.execPath,
      '-e',
      `const socket = require('node:net').connect(22, '${gateway}');
       socket.on('data', () => console.log('answered')).on('error', () => {});
       setInterval(() => socket.write('guess'), 50);`,
    );
    const client = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'] });
    onTestFinished(() => void client.kill('SIGKILL'));
    let answers = 0;
    client.stdout.on('data', () => (answers += 1));
    await expect.poll(() => answers, { timeout: 60_000 }).toBeGreaterThan(2);
    await block({ adminPrefixes: [`${bystander.v4}/32`], managementPorts: [22], ownAddresses: [gateway] });
    const dropped = async (): Promise<number> => (await firewall.read(never)).packetsDropped;
    await expect.poll(dropped, { timeout: 60_000 }).toBeGreaterThan(0);
    const [after, before] = [answers, await dropped()];
    await expect.poll(dropped, { timeout: 60_000 }).toBeGreaterThan(before + 1);
    expect(answers - after).toBeLessThanOrEqual(2);
    expect(opened(3, { host: gateway, port: 22 })).toBe(0);
  });

  test('an admin who is blocked gets in, but too seldom to guess a password', async () => {
    const guard = { adminPrefixes: ['203.0.113.0/24'], managementPorts: [22], ownAddresses: [gateway] };
    await block(guard);
    expect(network.reaches('attacker', gateway, 22)).toBe(true);
    const [open = 0, seconds = 0] = tryToOpen(60, { host: gateway, port: 22 }, 4);
    expect(open).toBeGreaterThan(3);
    expect(open, `in ${seconds} s`).toBeLessThan(20 + seconds / 5); // a dozen a minute
    await firewall.hold([], { ...emptyGuard, ...guard }, never);
    expect(opened(60, { host: gateway, port: 22 }, 60), 'who is not blocked is not slowed').toBe(60);
  });
});
