/** Devices as people see and change them. What ingestion does to them is in `seen-device-repository.ts`. */
import type { Selectable } from 'kysely';
import type { DeviceStatus, DeviceType } from '@picket/shared/contract/device';
import type { Database } from '../database/database.ts';
import { isUniqueViolation } from '../database/dialect.ts';
import type { Executor } from '../database/executor.ts';
import type { DeviceRow } from '../database/device-tables.ts';
import { newestFirst, type RowsWanted } from '../database/keyset.ts';
import { contains, likePattern } from '../database/text-search.ts';
import { type DeviceWithStatus, type StatusBasis, withStatus } from './device-status.ts';

export interface DeviceFilter {
  readonly status?: DeviceStatus | undefined;
  readonly search?: string | undefined;
  readonly type?: string | undefined;
  readonly gateway?: string | undefined;
}

export type DeviceValues = Partial<Omit<Selectable<DeviceRow>, 'id' | 'created_at'>>;

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
