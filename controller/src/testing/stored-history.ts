/** What ingestion has written, for tests that compare: two runs that kept the same things give equal tables. */
import type { TestHistory } from './test-history.ts';

/** All that ingestion writes, without ids and times of our own making. */
export async function tables({ database }: TestHistory): Promise<Record<string, unknown>> {
  const { reader } = database;
  const devices = await reader.selectFrom('devices').selectAll().orderBy('gateway_id').orderBy('ip_address').execute();
  const names = new Map(devices.map((device) => [device.id, `${device.gateway_id} ${device.ip_address}`]));
  const named = <T extends { device_id: string | null }>(row: T) => ({
    ...row,
    device_id: names.get(row.device_id ?? ''),
  });
  return {
    devices: devices.map(({ id: _id, created_at: _created, updated_at: _updated, ...device }) => device),
    flows: (await reader.selectFrom('flows').selectAll().orderBy('flow_id').execute()).map((row) => ({
      ...named(row),
      features: Buffer.from(row.features).toString('hex'),
    })),
    labels: await reader.selectFrom('flow_labels').selectAll().orderBy('flow_id').execute(),
    predictions: (await reader.selectFrom('predictions').selectAll().orderBy('id').execute()).map((row) => named(row)),
    counters: (
      await reader.selectFrom('minute_counters').selectAll().orderBy('minute').orderBy('packets').execute()
    ).map((row) => named(row)),
    alerts: (await reader.selectFrom('alerts').selectAll().orderBy('id').execute()).map(
      ({ raised_at: _order, ...row }) => named(row), // tells in which order they came, by design
    ),
    decisions: await reader.selectFrom('decisions').selectAll().orderBy('id').execute(),
    states: await reader
      .selectFrom('decision_states')
      .selectAll()
      .orderBy('decision_id')
      .orderBy('gateway_id')
      .execute(),
    events: (
      await reader.selectFrom('decision_events').selectAll().orderBy('recorded_at').orderBy('state').execute()
    ).map(({ id: _id, ...row }) => row),
    watermarks: await reader.selectFrom('ingest_watermarks').select(['channel', 'upto']).orderBy('channel').execute(),
  };
}
