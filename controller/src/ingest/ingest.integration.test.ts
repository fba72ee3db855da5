/** What ingestion makes of each kind of event. */
import { expect, test } from 'vitest';
import { describeOnBothDatabases } from '../../../.ci/both-databases.ts';
import type { EventBody } from '@picket/shared/contract/envelope';
import type { GatewayId } from '@picket/shared/contract/identifiers';
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
import { tables } from '../testing/stored-history.ts';
import { openTestHistory } from '../testing/test-history.ts';

const edge2 = 'edge-2' as GatewayId;

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
});
