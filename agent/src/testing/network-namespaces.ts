/**
 * A gateway between an attacker, a bystander and a device, out of network namespaces, for tests of the kernel's part.
 * Each host listens on TCP 22 and 80 and echoes. Needs root; all of it is gone after disposal.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';

export const addresses = {
  attacker: { v4: '203.0.113.9', v6: '2001:db8:1::9' },
  bystander: { v4: '198.51.100.7', v6: '2001:db8:2::7' },
  device: { v4: '192.168.77.20', v6: 'fd77::20' },
} as const;
export const deviceMac = '02:00:00:00:77:20';

export type HostName = keyof typeof addresses;

const echoServer = `
  const net = require('node:net');
  const ports = [22, 80];
  let open = 0;
  for (const port of ports) {
    net.createServer((socket) => { socket.on('error', () => {}); socket.pipe(socket); })
      .listen(port, '::', () => { if (++open === ports.length) console.log('ready'); });
  }
`;

export class GatewayNamespaces implements AsyncDisposable {
  readonly #id = `pkt-${randomUUID().slice(0, 8)}`;
  readonly #servers: ChildProcess[] = [];

  private constructor() {}

  static async open(): Promise<GatewayNamespaces> {
    const network = new GatewayNamespaces();
    try {
      await network.#build();
      return network;
    } catch (error) {
      await network[Symbol.asyncDispose]();
      throw error;
    }
  }

  get gateway(): string {
    return `${this.#id}-gateway`;
  }

  /** Arguments that run a program inside a host. */
  inside(host: HostName | 'gateway', ...command: readonly string[]): readonly string[] {
    return ['ip', 'netns', 'exec', `${this.#id}-${host}`, ...command];
  }

  /** Standard output of a program inside a host; throws what it complains of. */
  run(host: HostName | 'gateway', ...command: readonly string[]): string {
    return run(...this.inside(host, ...command));
  }

  /** Can `from` open a TCP connection to this address and port? A busy machine is given its time. */
  reaches(from: HostName | 'gateway', address: string, port = 80): boolean {
    return this.#opens(from, address, port, 30);
  }

  /** Is there no TCP connection from `from` to this address and port within 400 ms? What it sends was dropped by then. */
  isCutFrom(from: HostName | 'gateway', address: string, port = 80): boolean {
    return !this.#opens(from, address, port, 0.4);
  }

  #opens(from: HostName | 'gateway', address: string, port: number, seconds: number): boolean {
    const [program = '', ...args] = this.inside(
      from,
      'timeout',
      `${seconds}`,
      'bash',
      '-c',
      `exec 3<>/dev/tcp/${address}/${port}`,
    );
    return spawnSync(program, args, { stdio: 'ignore' }).status === 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#servers) server.kill('SIGKILL');
    const running = this.#servers.filter((server) => server.exitCode === null && server.signalCode === null);
    await Promise.all(running.map((server) => once(server, 'exit')));
    for (const host of [...hosts, 'gateway'])
      spawnSync('ip', ['netns', 'del', `${this.#id}-${host}`], { stdio: 'ignore' });
  }

  async #build(): Promise<void> {
    for (const host of [...hosts, 'gateway']) {
      run('ip', 'netns', 'add', `${this.#id}-${host}`);
      run('ip', '-n', `${this.#id}-${host}`, 'link', 'set', 'lo', 'up');
    }
    this.run('gateway', 'sysctl', '-qw', 'net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1');
    for (const host of hosts) this.#attach(host);
    for (const host of [...hosts, 'gateway'] as const) await this.#serve(host);
    // neighbours find each other once, at leisure
    for (const host of hosts) {
      for (const { v4, v6 } of Object.values(addresses)) {
        for (const address of [v4, v6]) {
          if (!this.reaches(host, address)) throw new Error(`${host} does not reach ${address}`);
        }
      }
    }
  }

  #attach(host: HostName): void {
    const { v4, v6 } = addresses[host];
    const leg = `to-${host}`;
    const namespace = `${this.#id}-${host}`;
    const mac = host === 'device' ? ['address', deviceMac] : [];
    run(
      'ip',
      'link',
      'add',
      'eth0',
      'netns',
      namespace,
      ...mac,
      'type',
      'veth',
      'peer',
      'name',
      leg,
      'netns',
      this.gateway,
    );
    const up = (where: string, link: string, ip4: string, ip6: string): void => {
      run('ip', '-n', where, 'address', 'add', `${ip4}/24`, 'dev', link);
      run('ip', '-n', where, 'address', 'add', `${ip6}/64`, 'dev', link, 'nodad');
      run('ip', '-n', where, 'link', 'set', link, 'up');
    };
    up(namespace, 'eth0', v4, v6);
    up(this.gateway, leg, gatewayAddress(v4), gatewayAddress(v6));
    run('ip', '-n', namespace, 'route', 'add', 'default', 'via', gatewayAddress(v4));
    run('ip', '-n', namespace, '-6', 'route', 'add', 'default', 'via', gatewayAddress(v6));
  }

  async #serve(host: HostName | 'gateway'): Promise<void> {
    const [program = '', ...args] = this.inside(host, process.execPath, '-e', echoServer);
    const server = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#servers.push(server);
    await once(server.stdout, 'data');
  }
}

const hosts = ['attacker', 'bystander', 'device'] as const;

/** The gateway's address on the subnet of this one. */
export function gatewayAddress(address: string): string {
  return address.includes(':') ? address.replace(/[^:]*$/, '1') : address.replace(/\d+$/, '1');
}

function run(...command: readonly string[]): string {
  const [program = '', ...args] = command;
  const result = spawnSync(program, args, { encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`${command.join(' ')}: ${result.stderr}`);
  return result.stdout;
}
