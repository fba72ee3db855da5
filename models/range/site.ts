/**
 * A site standing up: a gateway, the two halves of its LAN, the world outside beyond a line with a length, and lanes
 * from which attackers come; every one a namespace, every service a real one.
 */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { filter, translate } from './gateway.ts';
import { firstTable, settle } from './lan.ts';
import { layLine } from './line.ts';
import { connect } from './link.ts';
import { Namespace } from './namespace.ts';
import { Random } from './random.ts';
import { startServices } from './services.ts';
import { type DevicePlan, type SitePlan, addressOf } from './plan/site-plan.ts';

export class Site implements AsyncDisposable {
  readonly plan: SitePlan;
  readonly gateway: Namespace;
  readonly wired: Namespace;
  readonly wireless: Namespace;
  readonly outside: Namespace;
  /** Namespaces from which attackers come; one attack at a time in each. */
  readonly lanes: readonly Namespace[];
  /** For configuration files, keys, word lists and what clients download. */
  readonly folder: string;
  readonly #resources: AsyncDisposableStack;

  private constructor(
    parts: Pick<Site, 'plan' | 'gateway' | 'wired' | 'wireless' | 'outside' | 'lanes' | 'folder'> & {
      readonly resources: AsyncDisposableStack;
    },
  ) {
    this.plan = parts.plan;
    this.gateway = parts.gateway;
    this.wired = parts.wired;
    this.wireless = parts.wireless;
    this.outside = parts.outside;
    this.lanes = parts.lanes;
    this.folder = parts.folder;
    this.#resources = parts.resources;
  }

  /** Everything stands and listens when this returns; nobody talks yet. Throws with what did not come up. */
  static async open(plan: SitePlan, laneCount: number): Promise<Site> {
    await using building = new AsyncDisposableStack();
    const folder = await mkdtemp(join(tmpdir(), 'picket-range-'));
    building.defer(() => rm(folder, { recursive: true, force: true }));
    const id = randomUUID().slice(0, 6); // of the names only: two runs may share a site
    const create = async (name: string): Promise<Namespace> =>
      building.use(await Namespace.create(`${id}-${name}`, true));
    const gateway = await create('gateway');
    const wired = await create('wired');
    const wireless = await create('wireless');
    const outside = await create('outside');
    await raiseGateway(gateway, plan);
    await connect(
      { namespace: gateway, device: 'port0', megabitsPerSecond: null },
      { namespace: wired, device: 'eth0', megabitsPerSecond: null },
    );
    await layLine({ namespace: gateway, device: 'ap0' }, { namespace: wireless, device: 'eth0' }, plan.radio, true);
    await gateway.ip(['link set port0 master lan0', 'link set ap0 master lan0 up', 'link set port0 up']);
    await raiseLine(gateway, outside, plan);
    const random = new Random(plan.seed ^ 0x51de);
    for (const [namespace, half] of [
      [wired, 'wired'],
      [wireless, 'wireless'],
    ] as const) {
      await giveHabits(namespace, random);
      const devices = plan.devices.filter((device) => device.half === half);
      await settle(namespace, plan, devices);
      await filter(namespace, plan, devices);
    }
    await giveHabits(outside, random);
    await translate(gateway, plan);
    const lanes: Namespace[] = [];
    for (let lane = 0; lane < laneCount; lane++) {
      const namespace = await create(`lane${lane}`);
      const cable = `lane${lane}`;
      await connect(
        { namespace, device: 'eth0', megabitsPerSecond: null },
        { namespace: outside, device: cable, megabitsPerSecond: null },
      );
      await outside.ip([`address add 169.254.0.1/32 dev ${cable}`, `-6 address add fe80::1/64 dev ${cable} nodad`]);
      await namespace.ip([
        'route add 169.254.0.1 dev eth0',
        'route add default via 169.254.0.1',
        '-6 route add default via fe80::1 dev eth0',
      ]);
      await giveHabits(namespace, random);
      lanes.push(namespace);
    }
    await startServices({ plan, gateway, wired, wireless, outside, folder }, random, laneCount > 0);
    return new Site({ plan, gateway, wired, wireless, outside, lanes, folder, resources: building.move() });
  }

  namespaceOf(device: DevicePlan): Namespace {
    return device.half === 'wired' ? this.wired : this.wireless;
  }

  /** The routes of packets with the device's address. */
  tableOf(device: DevicePlan): number {
    return firstTable + this.plan.devices.filter(({ half }) => half === device.half).indexOf(device);
  }

  addressOf(device: DevicePlan): string {
    return addressOf(this.plan, device);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }
}

async function raiseGateway(gateway: Namespace, plan: SitePlan): Promise<void> {
  await gateway.sysctl('net.ipv4.ip_forward', 1);
  await gateway.sysctl('net.ipv6.conf.all.forwarding', 1);
  await gateway.ip([
    'link add lan0 type bridge mcast_snooping 0',
    `address add ${plan.lan}.1/24 dev lan0`,
    'link set lan0 up',
    ...(plan.lan6 === null ? [] : [`-6 address add ${plan.lan6}1/64 dev lan0 nodad`]),
  ]);
}

/** The line to the provider, and everybody beyond it: hosts outside are addresses of one namespace. */
async function raiseLine(gateway: Namespace, outside: Namespace, plan: SitePlan): Promise<void> {
  await outside.sysctl('net.ipv4.ip_forward', 1);
  await outside.sysctl('net.ipv6.conf.all.forwarding', 1);
  await layLine({ namespace: gateway, device: 'wan0' }, { namespace: outside, device: 'site0' }, plan.line, false);
  await gateway.ip([
    `address add ${plan.outer}/32 dev wan0`,
    `-6 address add ${plan.outer6}/128 dev wan0 nodad`,
    'link set wan0 up',
    `route add default dev wan0 src ${plan.outer}`,
    '-6 route add default dev wan0',
  ]);
  await outside.ip([
    'link set site0 up',
    ...[...plan.cloud, ...plan.people].map((address) => `address add ${address}/32 dev lo`),
    ...plan.cloud6.map((address) => `-6 address add ${address}/128 dev lo nodad`),
    `route add ${plan.outer}/32 dev site0`,
    `route add ${plan.lan}.0/24 dev site0`,
    `-6 route add ${plan.outer6}/128 dev site0`,
    ...(plan.lan6 === null ? [] : [`-6 route add ${plan.lan6}/64 dev site0`]),
    // nobody's addresses swallow what is sent to them: dead clouds, and sources that a flood made up
    'route add blackhole default',
    '-6 route add blackhole default',
  ]);
}

/** Stacks differ in the world: what is no route metric is chosen per namespace. */
async function giveHabits(namespace: Namespace, random: Random): Promise<void> {
  await namespace.sysctl('net.ipv4.ip_default_ttl', random.pick([64, 64, 64, 128, 255]));
  await namespace.sysctl('net.ipv4.tcp_timestamps', random.pick([0, 1, 1]));
  await namespace.sysctl('net.ipv4.tcp_sack', random.pick([0, 1, 1, 1]));
  await namespace.sysctl('net.ipv4.tcp_ecn', random.pick([0, 0, 1]));
  await namespace.sysctl('net.ipv4.tcp_rmem', `4096 ${random.pick([14_600, 29_200, 65_535, 131_072])} 6291456`);
  await namespace.sysctl('net.ipv4.ip_local_port_range', random.pick(['32768 60999', '49152 65535', '33000 47000']));
  await namespace.sysctl('net.ipv4.icmp_ratelimit', random.pick([1000, 1000, 250, 0]));
}
