/** Devices as gateways mention them: those that are known are seen, the others made under a generated name. */
import type { Selectable } from 'kysely';
import type { TrafficSource } from '@picket/shared/contract/address';
import { newId } from '@picket/shared/contract/identifiers';
import type { GatewayId } from '@picket/shared/contract/identifiers';
import type { Executor } from '../database/executor.ts';
import type { DeviceRow } from '../database/device-tables.ts';
import {
  adoptDevices,
  type DeviceName,
  devicesAt,
  insertDiscovered,
  type SeenDevice,
  takenNames,
  touchDevices,
} from './seen-device-repository.ts';

/** One mention of a device by its gateway. */
export interface Sighting {
  readonly address: string;
  readonly mac: string | null;
  /** By the gateway's clock. */
  readonly at: string;
  readonly source: TrafficSource;
}

export class DeviceDiscovery {
  readonly #now: () => Date;

  constructor(now: () => Date) {
    this.#now = now;
  }

  /**
   * The devices that a batch of this gateway mentions, by address. Unknown ones are made, under a generated
   * name. Runs in the batch's transaction.
   */
  async seen(
    executor: Executor,
    gatewayId: GatewayId,
    sightings: readonly Sighting[],
  ): Promise<ReadonlyMap<string, DeviceName>> {
    const latest = mergeSightings(sightings);
    const addresses = [...latest.keys()].toSorted();
    let known = byAddress(await devicesAt(executor, gatewayId, addresses));
    const missing = addresses.filter((address) => !known.has(address));
    if (missing.length > 0) {
      await this.#discover(executor, gatewayId, missing, latest);
      known = byAddress(await devicesAt(executor, gatewayId, addresses));
    }
    const touched: SeenDevice[] = [];
    for (const [address, sighting] of latest) {
      const device = known.get(address);
      if (device === undefined) continue;
      const newer = device.last_seen_at === null || device.last_seen_at < sighting.at;
      const mac = sighting.mac ?? device.mac;
      if (!newer && mac === device.mac) continue;
      const lastSeenAt = newer ? sighting.at : (device.last_seen_at ?? sighting.at);
      touched.push({ id: device.id, lastSeenAt, mac, source: sighting.source });
    }
    await touchDevices(executor, touched);
    return known;
  }

  async #discover(
    executor: Executor,
    gatewayId: GatewayId,
    addresses: readonly string[],
    latest: ReadonlyMap<string, Sighting>,
  ): Promise<void> {
    const now = this.#now().toISOString();
    await adoptDevices(executor, gatewayId, addresses, now);
    const adopted = byAddress(await devicesAt(executor, gatewayId, addresses));
    const fresh = addresses.filter((address) => !adopted.has(address));
    const taken = await takenNames(
      executor,
      fresh.map((address) => generatedName(address, gatewayId)),
    );
    await insertDiscovered(
      executor,
      fresh.map((address): Selectable<DeviceRow> => {
        const sighting = latest.get(address);
        const id = newId();
        const name = generatedName(address, gatewayId);
        return {
          id,
          gateway_id: gatewayId,
          name: taken.has(name) ? `${name.slice(0, 90)} ${id.slice(-9)}` : name,
          device_type: 'custom',
          ip_address: address,
          mac: sighting?.mac ?? null,
          protocol: null,
          port: null,
          traffic_source: sighting?.source ?? 'live',
          description: '',
          origin: 'discovered',
          monitored: 1,
          last_seen_at: null,
          created_at: now,
          updated_at: now,
        };
      }),
    );
  }
}

function generatedName(address: string, gatewayId: string): string {
  return `${address} at ${gatewayId}`.slice(0, 100);
}

function byAddress(devices: readonly DeviceName[]): Map<string, DeviceName> {
  return new Map(devices.flatMap((device) => (device.ip_address === null ? [] : [[device.ip_address, device]])));
}

function mergeSightings(sightings: readonly Sighting[]): Map<string, Sighting> {
  const latest = new Map<string, Sighting>();
  for (const sighting of sightings) {
    const before = latest.get(sighting.address);
    const newest = before === undefined || before.at < sighting.at ? sighting : before;
    latest.set(sighting.address, { ...newest, mac: sighting.mac ?? before?.mac ?? null });
  }
  return latest;
}
