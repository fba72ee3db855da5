/**
 * The smallest world a gateway can guard, out of network namespaces: an attacker and a bystander outside, a gateway, two
 * devices with real services inside. Disposable; nothing in it can reach the machine's own network.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runOwn } from '../attacks/scan-targets.ts';
import type { starters } from '../daemons.ts';
import { connect } from '../link.ts';
import { Namespace, destroyNamespace, must, namespacePrefix } from '../namespace.ts';
import { Random } from '../random.ts';
import { RunningProgram, eventually } from '../running-program.ts';
import { startDaemon } from '../services.ts';
import { tryPort } from './conversations.ts';
import { type Forwarding, type Host, type HostName, hostPlans } from './hosts.ts';
import { layOut } from './lay-out.ts';

/** `application` is a careless one, behind `/app/` of the web server. */
export type Service = 'web' | 'application' | 'ssh' | 'ftp' | 'telnet';

export interface NetworkPlan {
  /** On the device. */
  readonly services?: readonly Service[];
  readonly forwarding?: Forwarding;
  /** The controller's host, on a leg of its own (`mgm0`). */
  readonly hasController?: boolean;
}

const webApplication = fileURLToPath(new URL('../programs/web-application.ts', import.meta.url));

const software: Readonly<Record<Exclude<Service, 'application' | 'telnet'>, readonly [keyof typeof starters, number]>> =
  {
    web: ['nginx', 80],
    ssh: ['openssh', 22],
    ftp: ['vsftpd', 21],
  };

export class GuardedNetwork implements AsyncDisposable {
  readonly gateway: Namespace;
  readonly attacker: Host;
  readonly bystander: Host;
  /** What is attacked. */
  readonly device: Host;
  /** Another device, behind the same gateway. */
  readonly neighbour: Host;
  /** The namespace is there where the plan asks for it. */
  readonly controller: Host | undefined;
  /** Where the outside finds the device: the gateway's own address where it translates. */
  readonly target: string;
  /** Removed with the rest. */
  readonly folder: string;
  readonly #hosts: ReadonlyMap<HostName, Host>;
  readonly #forwarding: Forwarding;
  readonly #resources: AsyncDisposableStack;

  private constructor(
    hosts: ReadonlyMap<HostName, Host>,
    gateway: Namespace,
    forwarding: Forwarding,
    folder: string,
    resources: AsyncDisposableStack,
  ) {
    const host = (name: HostName): Host => {
      const found = hosts.get(name);
      if (found === undefined) throw new Error(`the network has no ${name}`);
      return found;
    };
    this.attacker = host('attacker');
    this.bystander = host('bystander');
    this.device = host('device');
    this.neighbour = host('neighbour');
    this.controller = hosts.get('controller');
    this.target = forwarding === 'translated' ? `${hostPlans.attacker.network}.1` : this.device.address;
    this.gateway = gateway;
    this.#hosts = hosts;
    this.#forwarding = forwarding;
    this.folder = folder;
    this.#resources = resources;
  }

  /** With the services listening when it resolves. Needs root. */
  static async open({
    services = [],
    forwarding = 'routed',
    hasController = false,
  }: NetworkPlan): Promise<GuardedNetwork> {
    await using building = new AsyncDisposableStack();
    const folder = await mkdtemp(join(tmpdir(), 'picket-network-'));
    building.defer(() => rm(folder, { recursive: true, force: true }));
    const id = randomUUID().slice(0, 6);
    const gateway = building.use(await Namespace.create(`${id}-gateway`, true));
    const names: HostName[] = [
      'attacker',
      'bystander',
      'device',
      'neighbour',
      ...(hasController ? ['controller' as const] : []),
    ];
    const hosts = new Map<HostName, Host>();
    for (const name of names) {
      const { leg, network, network6, host } = hostPlans[name];
      const namespace = building.use(await Namespace.create(`${id}-${name}`, true));
      await plugIn(namespace, gateway, leg);
      const mac = `02:00:00:00:${leg === 'port1' || leg === 'port2' ? '77' : '01'}:${String(host)}`;
      hosts.set(name, { namespace, address: `${network}.${host}`, address6: `${network6}::${host}`, mac });
    }
    await layOut(gateway, hosts, forwarding);
    const network = new GuardedNetwork(hosts, gateway, forwarding, folder, building.move());
    try {
      for (const service of services) await network.serve(network.device, service);
      return network;
    } catch (error) {
      await network[Symbol.asyncDispose]();
      throw error;
    }
  }

  /**
   * The gateway loses power: what runs there ends, its kernel's rules, connections and interfaces are gone, and a new
   * one under the same name gets the cables. The hosts keep what they run.
   */
  async rebootGateway(): Promise<void> {
    await destroyNamespace(this.gateway.name);
    // the same name is the same gateway to all who hold it
    await Namespace.create(this.gateway.name.slice(namespacePrefix.length), true);
    for (const [name, { namespace }] of this.#hosts) await plugIn(namespace, this.gateway, hostPlans[name].leg);
    await layOut(this.gateway, this.#hosts, this.#forwarding);
  }

  /** Another gateway with a LAN of its own, which shares the controller with the first. */
  async addGateway(): Promise<Namespace> {
    if (this.controller === undefined) throw new Error('a second gateway is joined to the first by their controller');
    const gateway = this.#resources.use(await Namespace.create(`${randomUUID().slice(0, 6)}-second`, true));
    await connect(
      { namespace: this.controller.namespace, device: 'eth1', megabitsPerSecond: null },
      { namespace: gateway, device: 'mgm0', megabitsPerSecond: null },
    );
    await this.controller.namespace.ip(['address add 198.51.101.9/24 dev eth1']);
    await gateway.ip([
      'link add lan0 type bridge',
      'link set lan0 up',
      'address add 192.168.78.1/24 dev lan0',
      'address add 198.51.101.1/24 dev mgm0',
      `route add ${this.controller.address} via 198.51.101.9`,
    ]);
    return gateway;
  }

  /** From now on this folder is a disk of its own with so much room, gone with the network. */
  async giveDisk(folder: string, mebibytes: number): Promise<void> {
    await mkdir(folder, { recursive: true });
    await must(['mount', '-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', folder]);
    this.#resources.defer(async () => void (await must(['umount', '--lazy', folder])));
  }

  /** Start a service on a host; it listens when this resolves, but for the application. */
  async serve({ namespace, address }: Host, service: Service): Promise<void> {
    if (service === 'application') {
      namespace.spawn(runOwn(webApplication), { cwd: this.folder });
      return;
    }
    if (service === 'telnet') {
      const settings = join(this.folder, `${namespace.name}-inetd.conf`);
      await writeFile(settings, '23 stream tcp nowait root /usr/sbin/telnetd telnetd -h\n');
      namespace.spawn(['/usr/sbin/inetd', '-i', settings]);
      await eventually(() => tryPort(namespace, address, 23), Boolean, 60_000);
      return;
    }
    const [daemon, port] = software[service];
    const folder = join(this.folder, `${namespace.name}-${service}`);
    await mkdir(folder, { recursive: true });
    await startDaemon(daemon, { namespace, folder, site: this.folder, address, port, random: new Random(1) });
    await eventually(() => tryPort(namespace, address, port), Boolean, 60_000);
  }

  /** Whether a host gets a page from the device, within two seconds. */
  async reachesDevice(host: Host): Promise<boolean> {
    return this.getsPage(host, this.target);
  }

  /** Whether a host gets a page from the web server at an address, within two seconds. */
  async getsPage({ namespace }: Host, address: string): Promise<boolean> {
    const url = `http://${address.includes(':') ? `[${address}]` : address}/index.html`;
    return (await namespace.run(['curl', '-s', '-f', '-m', '2', '-o', '/dev/null', url])).status === 0;
  }

  /** Whether anything answers a ping, within two seconds. */
  async pings(from: Namespace, address: string): Promise<boolean> {
    return (await from.run(['ping', '-n', '-q', '-c', '1', '-W', '2', address])).status === 0;
  }

  /** A program in a namespace that goes on; it ends with the network at the latest. */
  start(namespace: Namespace, argv: readonly string[], environment: NodeJS.ProcessEnv = {}): RunningProgram {
    const [program = '', ...rest] = namespace.inside(argv);
    return this.#resources.use(RunningProgram.start([program, ...rest], environment));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }
}

/** A cable from a host to the gateway. */
async function plugIn(host: Namespace, gateway: Namespace, leg: string): Promise<void> {
  await connect(
    { namespace: host, device: 'eth0', megabitsPerSecond: null },
    { namespace: gateway, device: leg, megabitsPerSecond: null },
  );
}
