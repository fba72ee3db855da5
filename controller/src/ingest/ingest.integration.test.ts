import fc from 'fast-check';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { describeOnBothDatabases } from '../../../.ci/both-databases.ts';
import type { EventBody } from '@picket/shared/contract/envelope';
import type { AlertId, DecisionId, GatewayId, PredictionId } from '@picket/shared/contract/identifiers';
import type { EventChannel } from '@picket/shared/contract/topics';
import {
  decided,
  sampleAlert,
  sampleBatch,
  sampleCounters,
  sampleDecision,
  sampleFeatures,
  sampleFlow,
  sampleInstant,
  samplePrediction,
} from '../testing/sample-events.ts';
import { edge1, openTestHistory, type TestHistory } from '../testing/test-history.ts';
import type { RawBatch } from './event-ingest.ts';

const uuid = (number: number): string => `019a0000-0000-7000-9000-${String(number).padStart(12, '0')}`;
const edge2 = 'edge-2' as GatewayId;

/** All that ingestion writes, without ids and times of our own making. */
async function tables({ database }: TestHistory): Promise<Record<string, unknown>> {
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
    alerts: (await reader.selectFrom('alerts').selectAll().orderBy('id').execute()).map((row) => named(row)),
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

describeOnBothDatabases('ingestion', (open) => {
  test('every kind of event arrives in its table, and the acknowledgement says how far', async () => {
    await using place = await open();
    await using kept = await openTestHistory(place);
    const prediction = samplePrediction(1);
    const decision = sampleDecision();
    expect(
      await kept.ingest('devices', [
        {
          kind: 'device',
          body: { device: { address: '192.168.1.30', mac: null }, at: sampleInstant(0), source: 'live' },
        },
      ]),
    ).toMatchObject({ upto: 1 });
    expect(
      await kept.ingest(
        'flows',
        [1, 2, 3].map((number) => ({ kind: 'flow', body: sampleFlow(number) })),
      ),
    ).toEqual({
      epoch: '019a1111-2222-7333-8444-00000000000e',
      channel: 'flows',
      upto: 3,
    });
    await kept.ingest('predictions', [{ kind: 'prediction', body: prediction }]);
    await kept.ingest('alerts', [{ kind: 'alert', body: sampleAlert({ prediction_id: prediction.id }) }]);
    await kept.ingest('decisions', [decided(decision, 'simulated')]);
    await kept.ingest('counters', [{ kind: 'counters', body: sampleCounters() }]);
    const rows = await tables(kept);
    expect(rows['devices']).toMatchObject([
      {
        gateway_id: 'edge-1',
        ip_address: '192.168.1.20',
        mac: '02:42:ac:11:00:02',
        origin: 'discovered',
        monitored: 1,
      },
      { ip_address: '192.168.1.30', name: '192.168.1.30 at edge-1' },
    ]);
    expect(rows['flows']).toMatchObject([
      { device_id: 'edge-1 192.168.1.20', features: Buffer.from(sampleFeatures(1), 'base64').toString('hex') },
      {},
      {},
    ]);
    expect(rows['labels']).toMatchObject([
      { class: 'brute_force_ssh', score: 0.97, prediction_id: prediction.id },
      {},
      {},
    ]);
    expect(rows['predictions']).toMatchObject([{ id: prediction.id, score: 0.97, flows_seen: 3 }]);
    expect(rows['counters']).toMatchObject([{ predictions: 20, attacks: 1, max_score: 0.97 }]);
    expect(rows['alerts']).toMatchObject([
      { status: 'active', severity: 'critical', device_name: '192.168.1.20 at edge-1' },
    ]);
    expect(rows['decisions']).toMatchObject([{ id: decision.id, made_by_gateway: 'edge-1', lifted_at: null }]);
    expect(rows['states']).toMatchObject([{ decision_id: decision.id, gateway_id: 'edge-1', state: 'simulated' }]);
    expect(kept.heard('live').map((event) => event.type)).toEqual(['prediction']);
    expect(kept.heard('alerts').map((event) => event.type)).toEqual(['alert_created', 'decision_changed']);
  });

  test('a batch that comes twice is stored once and acknowledged twice', async () => {
    await using place = await open();
    await using kept = await openTestHistory(place);
    const counters: EventBody[] = [{ kind: 'counters', body: sampleCounters() }];
    await kept.ingest('counters', counters);
    const before = await tables(kept);
    expect(await kept.ingest('counters', counters)).toMatchObject({ upto: 1 });
    expect(await tables(kept)).toEqual(before);
    expect(kept.history.ingested).toMatchObject({ stored: 1, duplicates: 1 });
  });

  test('the same batch on two controllers at the same time is stored once', async () => {
    await using place = await open();
    await using first = await openTestHistory(place);
    await using second = await openTestHistory(place);
    const batch = sampleBatch('counters', [{ kind: 'counters', body: sampleCounters() }]);
    const acks = await Promise.all(
      Array.from({ length: 8 }, (_, index) => (index % 2 === 0 ? first : second).history.ingestBatch(edge1, batch)),
    );
    expect(acks.map((ack) => ack.upto)).toEqual(Array(8).fill(1));
    expect((await tables(first))['counters']).toMatchObject([{ predictions: 20 }]);
  });

  test('the latest report of a flow replaces those before, in a batch and across batches; an older one does not', async () => {
    await using place = await open();
    await using kept = await openTestHistory(place);
    const report = (number: number, packets: number): EventBody => ({
      kind: 'flow',
      body: sampleFlow(1, { report_number: number, end: number === 3 ? 'closed' : 'report', fwd_packets: packets }),
    });
    await kept.ingest('flows', [report(0, 10), report(1, 20)]);
    await kept.ingest('flows', [report(3, 40), report(2, 30)], 3);
    expect((await tables(kept))['flows']).toMatchObject([{ report_number: 3, end_reason: 'closed', fwd_packets: 40 }]);
  });

  test("an agent's update leaves what people did to an alert; an older revision changes nothing", async () => {
    await using place = await open();
    await using kept = await openTestHistory(place);
    const alert = sampleAlert();
    const actor = { username: 'ada', address: null };
    await kept.ingest('alerts', [{ kind: 'alert', body: alert }]);
    await kept.history.alerts.change(
      alert.id,
      { status: 'investigating', assignee: 'ada', severity: 'low', tags: ['lab'] },
      actor,
    );
    await kept.ingest('alerts', [{ kind: 'alert', body: { ...alert, revision: 2, count: 9, severity: 'high' } }], 2);
    await kept.ingest('alerts', [{ kind: 'alert', body: { ...alert, revision: 1, count: 5 } }], 3);
    expect(await kept.history.alerts.get(alert.id)).toMatchObject({
      revision: 2,
      count: 9,
      status: 'investigating',
      assignee: 'ada',
      severity: 'low',
      tags: ['lab'],
      acknowledged_by: 'ada',
    });
  });

  test('an alert or decision of one gateway is not changed by another that names its id', async () => {
    await using place = await open();
    await using kept = await openTestHistory(place);
    const alert = sampleAlert();
    const decision = sampleDecision();
    await kept.ingest('alerts', [{ kind: 'alert', body: alert }]);
    await kept.ingest('decisions', [decided(decision, 'applied')]);
    await kept.history.ingestBatch(
      edge2,
      sampleBatch('alerts', [{ kind: 'alert', body: { ...alert, revision: 9, message: 'forged' } }]),
    );
    await kept.history.ingestBatch(
      edge2,
      sampleBatch('decisions', [decided({ ...decision, value: '192.0.2.1' }, 'applied')]),
    );
    expect(await kept.history.alerts.get(alert.id)).toMatchObject({ gateway_id: 'edge-1', message: alert.message });
    expect(await kept.history.decisions.get(decision.id)).toMatchObject({
      value: '203.0.113.9',
      made_by_gateway: 'edge-1',
    });
  });

  test('a poisoned event is set aside with its reason and does not block the channel', async () => {
    await using place = await open();
    await using kept = await openTestHistory(place);
    const good = sampleBatch(
      'flows',
      [1, 2, 3].map((number) => ({ kind: 'flow' as const, body: sampleFlow(number) })),
    );
    const events = good.events.map((event) => (event.seq === 2 ? { seq: 2, at: 'yesterday', event: 7 } : event));
    expect(await kept.history.ingestBatch(edge1, { ...good, events })).toMatchObject({ upto: 3 });
    expect((await tables(kept))['flows']).toHaveLength(2);
    const rejects = await kept.database.reader.selectFrom('ingest_rejects').selectAll().execute();
    expect(rejects).toMatchObject([{ gateway_id: 'edge-1', channel: 'flows', seq: 2 }]);
    expect(rejects[0]?.reason).not.toBe('');
    expect(rejects[0]?.payload).toContain('yesterday');
  });

  test('an event that fits the schema but not the database is found and set aside; its neighbours are kept', async () => {
    await using place = await open();
    await using kept = await openTestHistory(place);
    // A check of the engine stands for whatever it might refuse one day.
    await sql`${sql.raw(
      kept.database.dialect === 'sqlite'
        ? "create trigger refuse before insert on flows when new.dst_port = 666 begin select raise(abort, 'no'); end"
        : 'alter table flows add constraint refuse check (dst_port <> 666)',
    )}`.execute(kept.database.writer);
    const bodies = Array.from({ length: 9 }, (_, index): EventBody => ({
      kind: 'flow',
      body: sampleFlow(index + 1, { dst_port: index === 6 ? 666 : 22 }),
    }));
    expect(await kept.ingest('flows', bodies)).toMatchObject({ upto: 9 });
    expect((await tables(kept))['flows']).toHaveLength(8);
    expect(await kept.database.reader.selectFrom('ingest_rejects').select('seq').execute()).toEqual([{ seq: 7 }]);
    expect(kept.history.ingested).toMatchObject({ stored: 8, rejected: 1 });
  });

  test('a gap that the gateway names is counted as lost, and the sequence goes on behind it', async () => {
    await using place = await open();
    await using kept = await openTestHistory(place);
    const flow = (number: number): EventBody => ({ kind: 'flow', body: sampleFlow(number) });
    await kept.ingest('flows', [flow(1)]);
    expect(
      await kept.ingest('flows', [{ kind: 'gap', body: { from_seq: 2, to_seq: 41, dropped: 40 } }], 41),
    ).toMatchObject({ upto: 41 });
    expect(await kept.ingest('flows', [flow(42)], 42)).toMatchObject({ upto: 42 });
    expect(await kept.database.reader.selectFrom('ingest_gaps').selectAll().execute()).toMatchObject([
      { from_seq: 2, to_seq: 41, named_by: 'gateway' },
    ]);
    expect(await kept.database.reader.selectFrom('ingest_totals').selectAll().execute()).toMatchObject([
      { gateway_id: 'edge-1', stored: 2, lost: 40 },
    ]);
  });

  test('behind a hole nothing is acknowledged until the hole is filled', async () => {
    await using place = await open();
    await using kept = await openTestHistory(place);
    const flow = (number: number): EventBody => ({ kind: 'flow', body: sampleFlow(number) });
    expect(await kept.ingest('flows', [flow(3), flow(4)], 3)).toMatchObject({ upto: 0 });
    expect((await tables(kept))['flows']).toEqual([]);
    expect(await kept.ingest('flows', [flow(1), flow(2)], 1)).toMatchObject({ upto: 2 });
    expect(await kept.ingest('flows', [flow(3), flow(4)], 3)).toMatchObject({ upto: 4 });
    expect((await tables(kept))['flows']).toHaveLength(4);
    expect(await kept.database.reader.selectFrom('ingest_gaps').selectAll().execute()).toEqual([]);
  });

  test('a hole that a gateway keeps sending past is given up after a while and counted as lost', async () => {
    await using place = await open();
    await using kept = await openTestHistory(place);
    const behind: EventBody[] = [{ kind: 'flow', body: sampleFlow(11) }];
    for (let delivery = 0; delivery < 5; delivery += 1) {
      expect(await kept.ingest('flows', behind, 11), 'so soon it may still be on its way').toMatchObject({ upto: 0 });
    }
    kept.clock.now = new Date(kept.clock.now.getTime() + 61_000);
    expect(await kept.ingest('flows', behind, 11)).toMatchObject({ upto: 11 });
    expect((await tables(kept))['flows']).toHaveLength(1);
    expect(await kept.database.reader.selectFrom('ingest_gaps').selectAll().execute()).toMatchObject([
      { from_seq: 1, to_seq: 10, named_by: 'controller' },
    ]);
    expect(kept.history.ingested.lost).toBe(10);
  });

  test('an unknown device of a known address is adopted, and a taken name does not stop discovery', async () => {
    await using place = await open();
    await using kept = await openTestHistory(place);
    const actor = { username: 'ada', address: null };
    const registered = {
      device_type: 'camera' as const,
      mac: null,
      protocol: null,
      port: null,
      traffic_source: 'live' as const,
      description: '',
    };
    const camera = await kept.history.devices.create(
      { ...registered, name: 'Door camera', ip_address: '192.168.1.20', gateway_id: null },
      actor,
    );
    await kept.history.devices.create(
      { ...registered, name: '192.168.1.21 at edge-1', ip_address: null, gateway_id: null },
      actor,
    );
    await kept.ingest('flows', [
      { kind: 'flow', body: sampleFlow(1) },
      { kind: 'flow', body: sampleFlow(2, { device: { address: '192.168.1.21', mac: null } }) },
    ]);
    expect(await kept.history.devices.get(camera.id)).toMatchObject({
      name: 'Door camera',
      gateway_id: 'edge-1',
      status: 'offline', // recorded at 08:00, and it is 08:10
      last_seen_at: sampleInstant(1),
      mac: '02:42:ac:11:00:02',
    });
    const devices = await kept.database.reader.selectFrom('devices').select(['name', 'ip_address']).execute();
    expect(devices).toHaveLength(3);
    expect(devices.find((device) => device.ip_address === '192.168.1.21')?.name).toMatch(
      /^192\.168\.1\.21 at edge-1 ./,
    );
  });

  test('whatever the order of batches, and however often each comes, the tables are the same in the end', async () => {
    await using place = await open();
    const batches = scenario();
    await using reference = await openTestHistory(place);
    for (const batch of batches) await reference.history.ingestBatch(edge1, batch);
    const expected = await tables(reference);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(batches.length - 1), { maxLength: 40 }), async (order) => {
        await using other = await open();
        await using kept = await openTestHistory(other);
        for (const index of order) await kept.history.ingestBatch(edge1, batches[index]!);
        // What was refused behind a hole is sent again, as an agent does.
        for (const batch of batches) await kept.history.ingestBatch(edge1, batch);
        expect(await tables(kept)).toEqual(expected);
      }),
      { numRuns: 6 },
    );
  }, 120_000);
});

/** Batches of several channels that touch the same rows, each channel in pieces. */
function scenario(): RawBatch[] {
  const address = (number: number) => ({ address: `192.168.1.${20 + (number % 3)}`, mac: null });
  const pieces = (channel: EventChannel, bodies: EventBody[], size: number): RawBatch[] =>
    Array.from({ length: Math.ceil(bodies.length / size) }, (_, index) =>
      sampleBatch(channel, bodies.slice(index * size, (index + 1) * size), 1 + index * size),
    );
  const flows = Array.from({ length: 12 }, (_, index): EventBody => ({
    kind: 'flow',
    body: sampleFlow(index % 5, { report_number: (index * 7) % 4, fwd_packets: index, device: address(index % 5) }),
  }));
  const predictions = Array.from({ length: 6 }, (_, index): EventBody => ({
    kind: 'prediction',
    body: samplePrediction(index, {
      id: uuid(index) as PredictionId,
      score: 0.6 + (index % 3) / 10,
      device: address(index),
    }),
  }));
  const alerts = Array.from({ length: 6 }, (_, index): EventBody => ({
    kind: 'alert',
    body: sampleAlert({
      id: uuid(100 + (index % 2)) as AlertId,
      prediction_id: uuid(0) as PredictionId,
      revision: index,
      count: index + 1,
      device: address(index % 2),
    }),
  }));
  const decision = sampleDecision({ id: uuid(200) as DecisionId });
  const decisions = (['proposed', 'applied', 'verified', 'expired'] as const).map((state) => decided(decision, state));
  const counters = Array.from({ length: 6 }, (_, index): EventBody => ({
    kind: 'counters',
    body: sampleCounters({ minute: sampleInstant((index % 2) * 60), packets: index, device: address(0) }),
  }));
  return [
    ...pieces('flows', flows, 4),
    ...pieces('predictions', predictions, 2),
    ...pieces('alerts', alerts, 2),
    ...pieces('decisions', decisions, 2),
    ...pieces('counters', counters, 3),
  ];
}
