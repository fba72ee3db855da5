/** Devices as ingestion reads and writes them: by address, many at once, inside the transaction of a batch. */
import { sql, type Selectable } from 'kysely';
import type { DeviceRow } from '../database/device-tables.ts';
import type { Executor } from '../database/executor.ts';
import { inChunks } from '../database/upsert.ts';

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

export async function devicesAt(
  executor: Executor,
  gatewayId: string,
  addresses: readonly string[],
): Promise<DeviceName[]> {
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
export async function adoptDevices(
  executor: Executor,
  gatewayId: string,
  addresses: readonly string[],
  now: string,
): Promise<void> {
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

export async function takenNames(executor: Executor, names: readonly string[]): Promise<Set<string>> {
  const taken = new Set<string>();
  for (const chunk of inChunks(names)) {
    const rows = await executor.selectFrom('devices').select('name').where('name', 'in', chunk).execute();
    for (const row of rows) taken.add(row.name);
  }
  return taken;
}

export async function insertDiscovered(executor: Executor, rows: readonly Selectable<DeviceRow>[]): Promise<void> {
  for (const chunk of inChunks(rows)) {
    await executor
      .insertInto('devices')
      .values([...chunk])
      .onConflict((conflict) => conflict.columns(['gateway_id', 'ip_address']).doNothing())
      .execute();
  }
}

/** One statement for all: a batch of a large LAN names hundreds of devices. */
export async function touchDevices(executor: Executor, seen: readonly SeenDevice[]): Promise<void> {
  for (const chunk of inChunks(seen)) {
    const rows = chunk.map(({ id, lastSeenAt, mac, source }) => sql`(${id}, ${lastSeenAt}, ${mac}, ${source})`);
    // Both engines call the columns of a list of values column1, column2 …
    await sql`update devices set last_seen_at = seen.column2, mac = seen.column3, traffic_source = seen.column4
      from (values ${sql.join(rows)}) as seen where devices.id = seen.column1`.execute(executor);
  }
}
