/**
 * A site standing up: gateway with bridge and devices on one side, a provider's router with the internet, people and
 * attackers on the other, every host a namespace of its own, every service a real one.
 */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Namespace } from './namespace.ts';
import { connect } from './link.ts';
import type { Random } from './random.ts';
import { startInternet, startServices } from './services.ts';
import { type DevicePlan, type SitePlan, outside } from './site-plan.ts';

export interface Host {
  readonly namespace: Namespace;
  readonly address: string;
}
export interface Device extends Host {
  readonly plan: DevicePlan;
}

export class Site implements AsyncDisposable {
  readonly plan: SitePlan;
  readonly gateway: Namespace;
  readonly devices: readonly Device[];
  readonly internet: Namespace;
  readonly people: readonly Host[];
  readonly attackers: readonly Host[];
  /** For configuration files, keys, word lists and what clients download. */
  readonly folder: string;
  readonly #resources: AsyncDisposableStack;

  private constructor(parts: {
    readonly plan: SitePlan;
    readonly gateway: Namespace;
    readonly devices: readonly Device[];
    readonly internet: Namespace;
    readonly people: readonly Host[];
    readonly attackers: readonly Host[];
    readonly folder: string;
    readonly resources: AsyncDisposableStack;
  }) {
    this.plan = parts.plan;
    this.gateway = parts.gateway;
    this.devices = parts.devices;
    this.internet = parts.internet;
    this.people = parts.people;
    this.attackers = parts.attackers;
    this.folder = parts.folder;
    this.#resources = parts.resources;
  }

  static async open(plan: SitePlan, random: Random): Promise<Site> {
    await using building = new AsyncDisposableStack();
    const folder = await mkdtemp(join(tmpdir(), 'picket-range-'));
    building.defer(() => rm(folder, { recursive: true, force: true }));
    const id = randomUUID().slice(0, 6); // of the names only: two runs may share a seed
    const create = async (name: string): Promise<Namespace> => building.use(await Namespace.create(`${id}-${name}`));

    const provider = await create('provider');
    const gateway = await create('gateway');
    for (const router of [provider, gateway]) await router.sysctl('net.ipv4.ip_forward', 1);
    await provider.must(['ip', 'route', 'add', 'blackhole', 'default']);
    await gateway.must(['ip', 'link', 'add', 'lan0', 'type', 'bridge']);
    await gateway.must(['ip', 'address', 'add', `${plan.lan}.1/24`, 'dev', 'lan0']);
    await gateway.must(['ip', 'link', 'set', 'lan0', 'up']);
    await connect(
      { namespace: gateway, device: 'wan0', megabitsPerSecond: plan.upMegabits },
      { namespace: provider, device: 'site', megabitsPerSecond: plan.downMegabits },
    );
    await joinProvider(provider, gateway, 'site', 'wan0', ['100.64.7.2']);
    await provider.must(['ip', 'route', 'add', `${plan.lan}.0/24`, 'via', '100.64.7.2', 'dev', 'site', 'onlink']);

    const devices: Device[] = [];
    for (const device of plan.devices) {
      const namespace = await create(device.name);
      await attachDevice(gateway, namespace, plan, device);
      await giveHabits(namespace, random);
      devices.push({ namespace, address: `${plan.lan}.${device.host}`, plan: device });
    }
    const attach = async (name: string, addresses: readonly string[]): Promise<Host> => {
      const namespace = await create(name);
      const cable = `v-${name}`;
      await connect(
        { namespace, device: 'eth0', megabitsPerSecond: null },
        { namespace: provider, device: cable, megabitsPerSecond: null },
      );
      await joinProvider(provider, namespace, cable, 'eth0', addresses);
      await giveHabits(namespace, random);
      return { namespace, address: addresses[0] ?? '' };
    };
    const { cloud, web, time, names, control, drop } = outside;
    const internet = (await attach('internet', [cloud, web, time, names, control, drop])).namespace;
    const people: Host[] = [];
    for (const [index, address] of outside.people.entries()) people.push(await attach(`person${index}`, [address]));
    const attackers: Host[] = [];
    for (const [index, address] of outside.attackers.entries()) {
      attackers.push(await attach(`attacker${index}`, [address]));
    }
    await startInternet(internet, folder);
    for (const device of devices) await startServices(device, folder, random, plan.volume);
    const resources = building.move();
    return new Site({ plan, gateway, devices, internet, people, attackers, folder, resources });
  }

  /** Devices that run a service. Throws where the plan has none: such a site cannot play that scenario. */
  serving(service: DevicePlan['services'][number]): readonly Device[] {
    const found = this.devices.filter((device) => device.plan.services.includes(service));
    if (found.length === 0) throw new Error(`site ${this.plan.name} has no device with ${service}`);
    return found;
  }

  /** Every honest address: what a spoofed flood's null source never stands for. */
  honestAddresses(): string[] {
    const { cloud, web, time, names, control, drop, people, attackers } = outside;
    const inside = this.devices.map((device) => device.address);
    return [`${this.plan.lan}.1`, ...inside, cloud, web, time, names, control, drop, ...people, ...attackers];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }
}

/** Routed, not bridged: each host outside has its own addresses and reaches the others through the provider. */
async function joinProvider(
  provider: Namespace,
  host: Namespace,
  providerDevice: string,
  hostDevice: string,
  addresses: readonly string[],
): Promise<void> {
  await provider.must(['ip', 'address', 'add', '169.254.0.1/32', 'dev', providerDevice]);
  for (const address of addresses) {
    await host.must(['ip', 'address', 'add', `${address}/32`, 'dev', hostDevice]);
    await provider.must(['ip', 'route', 'add', `${address}/32`, 'dev', providerDevice]);
  }
  await host.must(['ip', 'route', 'add', '169.254.0.1', 'dev', hostDevice]);
  await host.must(['ip', 'route', 'add', 'default', 'via', '169.254.0.1']);
}

async function attachDevice(
  gateway: Namespace,
  namespace: Namespace,
  plan: SitePlan,
  device: DevicePlan,
): Promise<void> {
  const cable = `v-${device.name}`;
  await connect(
    { namespace, device: 'eth0', megabitsPerSecond: device.megabitsPerSecond },
    { namespace: gateway, device: cable, megabitsPerSecond: device.megabitsPerSecond },
  );
  await gateway.must(['ip', 'link', 'set', cable, 'master', 'lan0']);
  await namespace.must(['ip', 'address', 'add', `${plan.lan}.${device.host}/24`, 'dev', 'eth0']);
  await namespace.must(['ip', 'route', 'add', 'default', 'via', `${plan.lan}.1`]);
}

/** Stacks differ in the world: hop limit, timestamps and windows are chosen per host. */
async function giveHabits(namespace: Namespace, random: Random): Promise<void> {
  await namespace.sysctl('net.ipv4.ip_default_ttl', random.pick([64, 64, 128, 255]));
  await namespace.sysctl('net.ipv4.tcp_timestamps', random.pick([0, 1, 1]));
  const window = random.pick([14_600, 29_200, 65_535, 131_072]);
  await namespace.sysctl('net.ipv4.tcp_rmem', `4096 ${window} 6291456`);
}
