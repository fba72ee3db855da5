/** Devices: what people register and change, their status, and whether they are to be watched. */
import type { Selectable } from 'kysely';
import type {
  Device,
  DeviceChange,
  DeviceLiveStatus,
  DeviceStats,
  DeviceStatus,
  DeviceType,
  NewDevice,
} from '@picket/shared/contract/device';
import { newId } from '@picket/shared/contract/identifiers';
import type { DeviceId, GatewayId } from '@picket/shared/contract/identifiers';
import type { TrafficSource } from '@picket/shared/contract/address';
import type { Actor, AuditService } from '../audit/audit-service.ts';
import type { DeviceRow } from '../database/device-tables.ts';
import type { Keyed, RowsWanted } from '../database/keyset.ts';
import { Conflict, InvalidInput, NotFound } from '../errors.ts';
import type { PredictionService } from '../predictions/prediction-service.ts';
import type { PolicyPublisher } from '../rules/policy-publisher.ts';
import type { DeviceFilter, DeviceRepository } from './device-repository.ts';
import type { DeviceWithStatus } from './device-status.ts';
import type { GatewayDirectory, KnownGateway } from './gateway-directory.ts';
import { midnight, statusBasis, toDevice } from './stored-device.ts';

/** Devices of one type that a rule can name. */
const maxMembers = 500;
/** As many as a policy can name. */
const maxUnmonitored = 1000;

export class DeviceService {
  readonly #devices: DeviceRepository;
  readonly #predictions: PredictionService;
  readonly #gateways: GatewayDirectory;
  readonly #policies: PolicyPublisher;
  readonly #audit: AuditService;
  readonly #now: () => Date;

  constructor(parts: {
    devices: DeviceRepository;
    predictions: PredictionService;
    gateways: GatewayDirectory;
    policies: PolicyPublisher;
    audit: AuditService;
    now?: () => Date;
  }) {
    this.#devices = parts.devices;
    this.#predictions = parts.predictions;
    this.#gateways = parts.gateways;
    this.#policies = parts.policies;
    this.#audit = parts.audit;
    this.#now = parts.now ?? (() => new Date());
  }

  async list(filter: DeviceFilter, page: RowsWanted): Promise<Keyed<Device>[]> {
    const rows = await this.#devices.list(filter, statusBasis(await this.#gateways.enrolled(), this.#now()), page);
    return rows.map((row) => ({ key: [row.created_at, row.id], item: toDevice(row) }));
  }

  /** Throws `NotFound`. */
  async get(id: DeviceId): Promise<Device> {
    return toDevice(await this.#find(id, await this.#gateways.enrolled()));
  }

  exists(id: DeviceId): Promise<boolean> {
    return this.#devices.exists(id);
  }

  async create(input: NewDevice, actor: Actor): Promise<Device> {
    const gateways = await this.#gateways.enrolled();
    const gatewayId = input.gateway_id === undefined && gateways.length === 1 ? gateways[0]?.id : input.gateway_id;
    checkGateway(gatewayId, gateways);
    const now = this.#now().toISOString();
    const row: Selectable<DeviceRow> = {
      ...input,
      id: newId(),
      gateway_id: gatewayId ?? null,
      origin: 'registered',
      monitored: 1,
      last_seen_at: null,
      created_at: now,
      updated_at: now,
    };
    if ((await this.#devices.insert(row)) === 'taken') throw taken();
    await this.#audit.record({ actor, what: 'device.create', onWhat: `device ${row.id}`, after: row });
    return this.get(row.id as DeviceId);
  }

  /** Throws `NotFound`, `Conflict` where the name or the address at the gateway is another device's. */
  async update(id: DeviceId, change: DeviceChange, actor: Actor): Promise<Device> {
    const gateways = await this.#gateways.enrolled();
    const before = await this.#find(id, gateways);
    if (change.gateway_id !== undefined) checkGateway(change.gateway_id, gateways);
    const values = definedMembers(change);
    if (Object.keys(values).length === 0) return toDevice(before);
    if ((await this.#devices.update(id, { ...values, updated_at: this.#now().toISOString() })) === 'taken')
      throw taken();
    const after = await this.get(id);
    await this.#audit.record({
      actor,
      what: 'device.update',
      onWhat: `device ${id}`,
      before: toDevice(before),
      after,
    });
    // its policy names it: as one to leave alone, or as a member of its type
    const named = ['ip_address', 'mac', 'gateway_id', 'device_type'] as const;
    if (named.some((member) => before[member] !== after[member])) {
      await this.#tellGateways(before.gateway_id, after.gateway_id);
    }
    return after;
  }

  /** With its flows and predictions; its alerts and decisions stay. A gateway that still sees it discovers it anew. */
  async delete(id: DeviceId, actor: Actor): Promise<void> {
    const before = await this.#find(id, []);
    await this.#devices.delete(id);
    await this.#audit.record({ actor, what: 'device.delete', onWhat: `device ${id}`, before: toDevice(before) });
    await this.#tellGateways(before.gateway_id);
  }

  /** Wants the device watched, or not; its gateway follows through its policy. Throws `Conflict` without a gateway. */
  async setMonitoring(
    id: DeviceId,
    monitored: boolean,
    source: TrafficSource | undefined,
    actor: Actor,
  ): Promise<Device> {
    const gateways = await this.#gateways.enrolled();
    const before = await this.#find(id, gateways);
    const { gateway_id: gatewayId } = before;
    if (gatewayId === null || !gateways.some((gateway) => gateway.id === gatewayId)) {
      throw new Conflict('no enrolled gateway is known to stand before this device; set its gateway_id first');
    }
    if (before.ip_address === null)
      throw new Conflict('the address of this device is not known; set its ip_address first');
    if (!monitored && before.monitored === 1) await this.#checkRoom(gatewayId);
    await this.#devices.update(id, {
      monitored: monitored ? 1 : 0,
      ...(source === undefined ? {} : { traffic_source: source }),
      updated_at: this.#now().toISOString(),
    });
    const after = await this.get(id);
    await this.#audit.record({
      actor,
      what: monitored ? 'device.start' : 'device.stop',
      onWhat: `device ${id}`,
      before: { monitored: before.monitored === 1 },
      after: { monitored },
    });
    await this.#policies.monitoringChanged(gatewayId as GatewayId);
    return after;
  }

  async liveStatus(id: DeviceId): Promise<DeviceLiveStatus> {
    const gateways = await this.#gateways.enrolled();
    const device = toDevice(await this.#find(id, gateways));
    const gateway = gateways.find((known) => known.id === device.gateway_id);
    const latest = await this.#predictions.latestOf(id);
    const address = device.ip_address;
    return {
      id,
      status: device.status,
      gateway_id: device.gateway_id,
      gateway_online: gateway?.online ?? false,
      last_seen_at: device.last_seen_at,
      source: latest?.source ?? (device.last_seen_at === null ? null : device.traffic_source),
      buffer_fill: latest?.flows_seen ?? 0,
      monitoring: {
        desired: device.monitored,
        reported: address === null || gateway?.unmonitored == null ? null : !gateway.unmonitored.includes(address),
      },
    };
  }

  async stats(id: DeviceId): Promise<DeviceStats> {
    const device = toDevice(await this.#find(id, await this.#gateways.enrolled()));
    const counts = await this.#predictions.counts({ device: id, from: midnight(this.#now()) });
    return {
      id,
      threats_today: device.threat_count_today,
      last_seen_at: device.last_seen_at,
      flows_today: counts.flows,
      predictions_today: counts.predictions,
      benign_rate: counts.predictions === 0 ? null : (counts.predictions - counts.attacks) / counts.predictions,
    };
  }

  async countByStatus(gateway?: string): Promise<Record<DeviceStatus, number>> {
    const counts = { quarantined: 0, under_attack: 0, online: 0, offline: 0 };
    const basis = statusBasis(await this.#gateways.enrolled(), this.#now());
    for (const { status, count } of await this.#devices.countByStatus(basis, gateway)) counts[status] = count;
    return counts;
  }

  /** For the policy of a gateway: addresses that it is not to watch. */
  unmonitored(gatewayId: GatewayId): Promise<string[]> {
    return this.#devices.unmonitored(gatewayId, maxUnmonitored);
  }

  /** Undefined for a device that is gone. */
  typeOf(id: string): Promise<DeviceType | undefined> {
    return this.#devices.typeOf(id);
  }

  /** For rules that are for a type of device: its members behind a gateway, by MAC where it is known. */
  membersOf(gatewayId: GatewayId, type: DeviceType): Promise<string[]> {
    return this.#devices.membersOf(gatewayId, type, maxMembers);
  }

  async #find(id: DeviceId, gateways: readonly KnownGateway[]): Promise<DeviceWithStatus> {
    const row = await this.#devices.find(id, statusBasis(gateways, this.#now()));
    if (row === undefined) throw new NotFound('there is no device with this id');
    return row;
  }

  async #checkRoom(gatewayId: string): Promise<void> {
    if ((await this.#devices.unmonitored(gatewayId, maxUnmonitored)).length >= maxUnmonitored) {
      throw new Conflict(
        `gateway ${gatewayId} already leaves ${maxUnmonitored} devices alone; start some of them first`,
      );
    }
  }

  async #tellGateways(...gatewayIds: (string | null)[]): Promise<void> {
    for (const gatewayId of new Set(gatewayIds)) {
      if (gatewayId !== null) await this.#policies.monitoringChanged(gatewayId as GatewayId);
    }
  }
}

function definedMembers<T extends object>(change: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}

function checkGateway(gatewayId: string | null | undefined, gateways: readonly KnownGateway[]): void {
  if (gatewayId == null || gateways.some((gateway) => gateway.id === gatewayId)) return;
  throw new InvalidInput(`gateway_id: no gateway ${gatewayId} is enrolled`, {
    fields: [{ pointer: '/gateway_id', detail: 'not an enrolled gateway' }],
  });
}

function taken(): Conflict {
  return new Conflict('another device has this name, or this address behind the same gateway');
}
