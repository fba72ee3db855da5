/**
 * The smallest world a gateway can guard, out of network namespaces: an attacker and a bystander outside, a forwarding
 * gateway, one device with real services inside. Disposable; nothing in it can reach the machine's own network.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from '../../models/range/link.ts';
import { Namespace } from '../../models/range/namespace.ts';
import { Random } from '../../models/range/random.ts';
import { startDaemon } from '../../models/range/services.ts';
import { RunningProgram } from './running-program.ts';

export interface Host {
  readonly namespace: Namespace;
  readonly address: string;
}

/** The gateway's legs: `wan0` to the attacker, `wan1` to the bystander, `lan0` to the device. */
const plan = {
  attacker: { leg: 'wan0', network: '192.0.2', host: 66 },
  bystander: { leg: 'wan1', network: '203.0.113', host: 20 },
  device: { leg: 'lan0', network: '192.168.77', host: 20 },
} as const;

export class GuardedNetwork implements AsyncDisposable {
  readonly gateway: Namespace;
  readonly attacker: Host;
  readonly bystander: Host;
  readonly device: Host;
  /** Removed with the rest. */
  readonly folder: string;
  readonly #resources: AsyncDisposableStack;

  private constructor(
    hosts: Readonly<Record<keyof typeof plan, Host>>,
    gateway: Namespace,
    folder: string,
    resources: AsyncDisposableStack,
  ) {
    this.attacker = hosts.attacker;
    this.bystander = hosts.bystander;
    this.device = hosts.device;
    this.gateway = gateway;
    this.folder = folder;
    this.#resources = resources;
  }

  /** With these services listening on the device when it resolves. Needs root. */
  static async open(services: readonly ('web' | 'ssh')[]): Promise<GuardedNetwork> {
    await using building = new AsyncDisposableStack();
    const folder = await mkdtemp(join(tmpdir(), 'picket-network-'));
    building.defer(() => rm(folder, { recursive: true, force: true }));
    const id = randomUUID().slice(0, 6);
    const gateway = building.use(await Namespace.create(`${id}-gateway`));
    await gateway.sysctl('net.ipv4.ip_forward', 1);
    const attach = async (name: keyof typeof plan): Promise<Host> => {
      const { leg, network, host } = plan[name];
      const namespace = building.use(await Namespace.create(`${id}-${name}`));
      await connect(
        { namespace, device: 'eth0', megabitsPerSecond: null },
        { namespace: gateway, device: leg, megabitsPerSecond: null },
      );
      await gateway.must(['ip', 'address', 'add', `${network}.1/24`, 'dev', leg]);
      await namespace.must(['ip', 'address', 'add', `${network}.${host}/24`, 'dev', 'eth0']);
      await namespace.must(['ip', 'route', 'add', 'default', 'via', `${network}.1`]);
      return { namespace, address: `${network}.${host}` };
    };
    const hosts = {
      attacker: await attach('attacker'),
      bystander: await attach('bystander'),
      device: await attach('device'),
    };
    const { namespace, address } = hosts.device;
    const random = new Random(1);
    for (const service of services) {
      const place = { namespace, folder, site: folder, address, port: service === 'web' ? 80 : 22, random };
      await startDaemon(service === 'web' ? 'nginx' : 'openssh', place);
    }
    return new GuardedNetwork(hosts, gateway, folder, building.move());
  }

  /** Whether a host gets a page from the device, within two seconds. */
  async reachesDevice(host: Host): Promise<boolean> {
    const address = `http://${this.device.address}/index.html`;
    const { status } = await host.namespace.run(['curl', '-s', '-f', '-m', '2', '-o', '/dev/null', address]);
    return status === 0;
  }

  async pingsDevice(host: Host): Promise<boolean> {
    return (await host.namespace.run(['hping3', '--icmp', '-c', '1', '-q', this.device.address])).status === 0;
  }

  /** A program in a namespace that goes on; it ends with the network at the latest. */
  start(namespace: Namespace, argv: readonly string[]): RunningProgram {
    const [program = '', ...rest] = namespace.inside(argv);
    return this.#resources.use(RunningProgram.start([program, ...rest]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }
}
