/** Devices in the database, with the status that the rest of the history gives them. */
import { sql, type Selectable } from 'kysely';
import type { DeviceStatus, DeviceType } from '@picket/shared/contract/device';
import type { Database } from '../database/database.ts';
import { isUniqueViolation } from '../database/dialect.ts';
import type { Executor } from '../database/executor.ts';
import type { DeviceRow } from '../database/history-tables.ts';
import { newestFirst, type RowsWanted } from '../database/keyset.ts';
import { contains, likePattern } from '../database/text-search.ts';
import { inChunks } from '../database/upsert.ts';

export type DeviceWithStatus = Selectable<DeviceRow> & {
  readonly status: DeviceStatus;
  readonly threats_today: number;
};

/** Against what the status of devices is judged. */
export interface StatusBasis {
  readonly now: string;
  /** Midnight UTC. */
  readonly today: string;
  /** Seen since then: online. */
  readonly onlineSince: string;
  /** An open alert that went on since then: under attack. */
  readonly attackSince: string;
  readonly onlineGateways: readonly string[];
}

export interface DeviceFilter {
  readonly status?: DeviceStatus | undefined;
  readonly search?: string | undefined;
  readonly type?: string | undefined;
  readonly gateway?: string | undefined;
}

export type DeviceValues = Partial<Omit<Selectable<DeviceRow>, 'id' | 'created_at'>>;

/** A device as ingestion needs it. */
export interface DeviceName {
  readonly id: string;
  readonly name: string;
  readonly ip_address: string | null;
  readonly mac: string | null;
  readonly last_seen_at: string | null;
}

/** What a batch says of a device that was known before. */
export interface SeenDevice {
  readonly id: string;
  readonly lastSeenAt: string;
  readonly mac: string | null;
  readonly source: string;
}

const brief = ['id', 'name', 'ip_address', 'mac', 'last_seen_at'] as const;

export class DeviceRepository {
  readonly #reader: Executor;
  readonly #writer: Executor;

  constructor(database: Pick<Database, 'reader' | 'writer'>) {
    this.#reader = database.reader;
    this.#writer = database.writer;
  }

  /** Newest first, at most `limit + 1`. */
  async list(filter: DeviceFilter, basis: StatusBasis, page: RowsWanted): Promise<DeviceWithStatus[]> {
    let query = this.#reader.selectFrom(withStatus(this.#reader, basis).as('device')).selectAll();
    if (filter.status !== undefined) query = query.where('status', '=', filter.status);
    if (filter.type !== undefined) query = query.where('device_type', '=', filter.type);
    if (filter.gateway !== undefined) query = query.where('gateway_id', '=', filter.gateway);
    if (filter.search !== undefined) {
      const pattern = likePattern(filter.search);
      query = query.where((eb) =>
        eb.or((['name', 'ip_address', 'mac', 'description'] as const).map((column) => contains(column, pattern))),
      );
    }
    return newestFirst(query, ['created_at', 'id'], page).execute();
  }

  find(id: string, basis: StatusBasis): Promise<DeviceWithStatus | undefined> {
    return withStatus(this.#reader, basis).where('devices.id', '=', id).executeTakeFirst();
  }

  async exists(id: string): Promise<boolean> {
    return (
      (await this.#reader.selectFrom('devices').select('id').where('id', '=', id).executeTakeFirst()) !== undefined
    );
  }

  /** How many devices stand at each status. */
  async countByStatus(basis: StatusBasis, gateway?: string): Promise<{ status: DeviceStatus; count: number }[]> {
    let query = this.#reader
      .selectFrom(withStatus(this.#reader, basis).as('device'))
      .select((eb) => ['status' as const, eb.fn.countAll<number>().as('count')]);
    if (gateway !== undefined) query = query.where('gateway_id', '=', gateway);
    return query.groupBy('status').execute();
  }

  /** `taken`: the name, or the address at this gateway, is another device's. */
  async insert(row: Selectable<DeviceRow>): Promise<'stored' | 'taken'> {
    return orTaken(() => this.#writer.insertInto('devices').values(row).execute());
  }

  /** A new name reaches the alerts of the device as well. */
  async update(id: string, values: DeviceValues): Promise<'stored' | 'taken'> {
    return orTaken(() =>
      this.#writer.transaction().execute(async (transaction) => {
        await transaction.updateTable('devices').set(values).where('id', '=', id).execute();
        if (values.name === undefined) return;
        await transaction.updateTable('alerts').set({ device_name: values.name }).where('device_id', '=', id).execute();
      }),
    );
  }

  /** With its flows, predictions and counters. Its alerts and decisions stay as evidence, with its name. */
  async delete(id: string): Promise<void> {
    await this.#writer.transaction().execute(async (transaction) => {
      await transaction
        .deleteFrom('flow_labels')
        .where((eb) =>
          eb.exists(
            eb
              .selectFrom('flows')
              .select('flows.flow_id')
              .whereRef('flows.gateway_id', '=', 'flow_labels.gateway_id')
              .whereRef('flows.flow_id', '=', 'flow_labels.flow_id')
              .where('flows.device_id', '=', id),
          ),
        )
        .execute();
      await transaction.deleteFrom('flows').where('device_id', '=', id).execute();
      await transaction.deleteFrom('predictions').where('device_id', '=', id).execute();
      await transaction.deleteFrom('minute_counters').where('device_id', '=', id).execute();
      await transaction.updateTable('alerts').set({ device_id: null }).where('device_id', '=', id).execute();
      await transaction.deleteFrom('devices').where('id', '=', id).execute();
    });
  }

  /** Addresses that this gateway is not to watch, at most `limit`. */
  async unmonitored(gatewayId: string, limit: number): Promise<string[]> {
    const rows = await this.#reader
      .selectFrom('devices')
      .select('ip_address')
      .where('gateway_id', '=', gatewayId)
      .where('monitored', '=', 0)
      .where('ip_address', 'is not', null)
      .orderBy('ip_address')
      .limit(limit)
      .execute();
    return rows.flatMap((row) => row.ip_address ?? []);
  }

  async typeOf(id: string): Promise<DeviceType | undefined> {
    const row = await this.#reader.selectFrom('devices').select('device_type').where('id', '=', id).executeTakeFirst();
    return row?.device_type as DeviceType | undefined;
  }

  /** MAC, or else address, of each device of this type behind a gateway. */
  async membersOf(gatewayId: string, type: DeviceRow['device_type'], limit: number): Promise<string[]> {
    const rows = await this.#reader
      .selectFrom('devices')
      .select(['mac', 'ip_address'])
      .where('gateway_id', '=', gatewayId)
      .where('device_type', '=', type)
      .orderBy('id')
      .limit(limit)
      .execute();
    return rows.flatMap((row) => row.mac ?? row.ip_address ?? []);
  }

  async byAddress(executor: Executor, gatewayId: string, addresses: readonly string[]): Promise<DeviceName[]> {
    const rows: DeviceName[] = [];
    for (const chunk of inChunks(addresses)) {
      rows.push(
        ...(await executor
          .selectFrom('devices')
          .select(brief)
          .where('gateway_id', '=', gatewayId)
          .where('ip_address', 'in', chunk)
          .execute()),
      );
    }
    return rows;
  }

  /** Devices that a person registered without saying behind which gateway, and that this gateway has now seen. */
  async adopt(executor: Executor, gatewayId: string, addresses: readonly string[], now: string): Promise<void> {
    for (const chunk of inChunks(addresses)) {
      const homeless = await executor
        .selectFrom('devices')
        .select((eb) => ['ip_address' as const, eb.fn.min('id').as('id')])
        .where('gateway_id', 'is', null)
        .where('ip_address', 'in', chunk)
        .groupBy('ip_address')
        .execute();
      if (homeless.length === 0) continue;
      await executor
        .updateTable('devices')
        .set({ gateway_id: gatewayId, updated_at: now })
        .where(
          'id',
          'in',
          homeless.map((row) => row.id),
        )
        .execute();
    }
  }

  async takenNames(executor: Executor, names: readonly string[]): Promise<Set<string>> {
    const taken = new Set<string>();
    for (const chunk of inChunks(names)) {
      const rows = await executor.selectFrom('devices').select('name').where('name', 'in', chunk).execute();
      for (const row of rows) taken.add(row.name);
    }
    return taken;
  }

  async insertDiscovered(executor: Executor, rows: readonly Selectable<DeviceRow>[]): Promise<void> {
    for (const chunk of inChunks(rows)) {
      await executor
        .insertInto('devices')
        .values([...chunk])
        .onConflict((conflict) => conflict.columns(['gateway_id', 'ip_address']).doNothing())
        .execute();
    }
  }

  /** One statement for all: a batch of a large LAN names hundreds of devices. */
  async touch(executor: Executor, seen: readonly SeenDevice[]): Promise<void> {
    for (const chunk of inChunks(seen)) {
      const rows = chunk.map(({ id, lastSeenAt, mac, source }) => sql`(${id}, ${lastSeenAt}, ${mac}, ${source})`);
      // Both engines call the columns of a list of values column1, column2 …
      await sql`update devices set last_seen_at = seen.column2, mac = seen.column3, traffic_source = seen.column4
        from (values ${sql.join(rows)}) as seen where devices.id = seen.column1`.execute(executor);
    }
  }
}

async function orTaken(write: () => Promise<unknown>): Promise<'stored' | 'taken'> {
  try {
    await write();
    return 'stored';
  } catch (error) {
    if (isUniqueViolation(error)) return 'taken';
    throw error;
  }
}

function withStatus(executor: Executor, basis: StatusBasis) {
  return executor
    .selectFrom('devices')
    .selectAll('devices')
    .select((eb) => [
      eb
        .selectFrom('alerts')
        .select((count) => count.fn.countAll<number>().as('count'))
        .whereRef('alerts.device_id', '=', 'devices.id')
        .where('alerts.created_at', '>=', basis.today)
        .$asScalar()
        .$notNull()
        .as('threats_today'),
      eb
        .case()
        .when(
          eb.exists(
            eb
              .selectFrom('decisions')
              .select('decisions.id')
              .where('decisions.action', '=', 'quarantine')
              .where('decisions.expires_at', '>', basis.now)
              .where((value) =>
                value('decisions.value', 'in', [value.ref('devices.ip_address'), value.ref('devices.mac')]),
              )
              // Not a join: it would walk all decisions of the gateway for every device.
              .where((held) =>
                held.exists(
                  held
                    .selectFrom('decision_states')
                    .select('decision_states.state')
                    .whereRef('decision_states.decision_id', '=', 'decisions.id')
                    .whereRef('decision_states.gateway_id', '=', 'devices.gateway_id')
                    .where('decision_states.state', 'in', ['applied', 'verified']),
                ),
              ),
          ),
        )
        .then(sql.lit<DeviceStatus>('quarantined'))
        .when(
          eb.exists(
            eb
              .selectFrom('alerts')
              .select('alerts.id')
              .whereRef('alerts.device_id', '=', 'devices.id')
              .where('alerts.status', 'in', ['active', 'acknowledged', 'investigating'])
              .where('alerts.severity', 'in', ['high', 'critical'])
              .where('alerts.recorded_at', '>=', basis.attackSince),
          ),
        )
        .then(sql.lit<DeviceStatus>('under_attack'))
        .when(
          eb.and([
            eb('devices.monitored', '=', 1),
            eb('devices.last_seen_at', '>=', basis.onlineSince),
            basis.onlineGateways.length === 0
              ? eb.lit(false)
              : eb('devices.gateway_id', 'in', [...basis.onlineGateways]),
          ]),
        )
        .then(sql.lit<DeviceStatus>('online'))
        .else(sql.lit<DeviceStatus>('offline'))
        .end()
        .as('status'),
    ]);
}
