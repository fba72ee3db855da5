import { expect, test } from 'vitest';
import { describeOnBothDatabases } from '../../../.ci/both-databases.ts';
import { PredictionExplanation, StoredPrediction } from '@picket/shared/contract/stored-prediction';
import { StoredFlow } from '@picket/shared/contract/stored-flow';
import {
  decided,
  sampleAlert,
  sampleBoot,
  sampleCounters,
  sampleDecision,
  sampleFlow,
  samplePrediction,
} from '../testing/sample-events.ts';
import { startTestApi } from '../testing/test-api.ts';

describeOnBothDatabases('predictions and traffic over HTTP', (open) => {
  test('a prediction is explained by the flows of its window; each flow says what was said of it', async () => {
    await using place = await open();
    await using api = await startTestApi(place.url);
    const attack = samplePrediction(1, {
      explanation: {
        top_features: [
          {
            feature: 'Flow Duration',
            value: 7,
            unit: 'us',
            normal: null,
            direction: 'unknown',
            importance: 0.5,
            flow_index: 2,
          },
        ],
        flow_importance: [0.1, 0.2, 0.7],
        flows: [],
        normal_of: 'none',
        summary: '',
      },
    });
    await api.ingest('predictions', [{ kind: 'prediction', body: attack }]);
    await api.ingest(
      'flows',
      [1, 2, 9].map((number) => ({ kind: 'flow', body: sampleFlow(number) })),
    );

    const { body } = await api.get(`/predictions/${attack.id}`);
    expect(StoredPrediction.parse(body)).toMatchObject({
      score: 0.97,
      label: 'attack',
      feature_importance: [{ feature: 'Flow Duration', value: 7 }],
      class_probabilities: attack.class_probabilities,
      flow_ids: attack.flow_ids,
    });
    const { body: why } = await api.get(`/predictions/${attack.id}/explain`);
    expect(PredictionExplanation.parse(why).flows).toMatchObject([
      { flow_id: `${sampleBoot}.1`, importance: 0.1, flow: { class: 'brute_force_ssh' } },
      { flow_id: `${sampleBoot}.2`, importance: 0.2 },
      { flow_id: `${sampleBoot}.3`, importance: 0.7, flow: null },
    ]);

    const { body: devices } = await api.get('/devices');
    const path = `/traffic/${devices.items[0].id}`;
    const { body: flows } = await api.get(`${path}?features=true`);
    expect(flows.items.map((flow: unknown) => StoredFlow.parse(flow).id)).toEqual(
      [9, 2, 1].map((number) => `${sampleBoot}.${number}`),
    );
    expect(flows.items[2].features).toHaveLength(78);
    expect(flows.items[2].features.slice(0, 3)).toEqual([1, 1.25, 1.5]);
    expect((await api.get(`${path}?class=brute_force_ssh`)).body.items).toHaveLength(2);
    expect((await api.get(`${path}?class=benign`)).body.items).toMatchObject([{ id: `${sampleBoot}.9`, class: null }]);
    expect((await api.get(`${path}?source=pcap_upload`)).body.items).toEqual([]);
    expect((await api.get('/traffic/019a0000-0000-7000-8000-00000000dead')).status).toBe(404);
  });

  test('history can be narrowed and paged; the path with a device id lists its predictions', async () => {
    await using place = await open();
    await using api = await startTestApi(place.url);
    const predictions = [0.2, 0.6, 0.8, 0.95].map((score, index) => samplePrediction(index, { score }));
    await api.ingest(
      'predictions',
      predictions.map((body) => ({ kind: 'prediction', body })),
    );
    await api.ingest('predictions', [{ kind: 'prediction', body: samplePrediction(9) }], 'edge-2');
    const idsOf = async (path: string): Promise<string[]> =>
      (await api.get(path)).body.items.map((item: { id: string }) => item.id);
    const ids = predictions.map((prediction) => prediction.id as string);
    expect(await idsOf('/predictions?gateway=edge-1')).toEqual(ids.toReversed());
    expect(await idsOf('/predictions?gateway=edge-1&label=attack&min_score=0.7')).toEqual(ids.slice(2).toReversed());
    expect(await idsOf('/predictions?label=benign')).toEqual([ids[0]]);
    const { body: devices } = await api.get('/devices?gateway=edge-1');
    expect(await idsOf(`/predictions/${devices.items[0].id}?label=benign`)).toEqual([ids[0]]);
    expect(await idsOf(`/predictions?device_id=${devices.items[0].id}`)).toHaveLength(4);
    const { body: first } = await api.get('/predictions?limit=3');
    const { body: rest } = await api.get(`/predictions?limit=3&cursor=${first.next_cursor}`);
    expect(new Set([...first.items, ...rest.items].map((item) => item.id)).size).toBe(5);
    expect(rest.next_cursor).toBeNull();
    expect(await idsOf('/predictions?page=2&size=2')).toHaveLength(2);
    expect((await api.get('/predictions/019a0000-0000-7000-8000-00000000dead')).status).toBe(404);
    const { body: quiet } = await api.call('operator', 'POST', '/devices', { name: 'quiet' });
    expect((await api.get(`/predictions/${quiet.id}`)).body).toEqual({ items: [], next_cursor: null });
  });

  test('figures: predictions, dashboard, timeline and distribution agree with what was counted', async () => {
    await using place = await open();
    await using api = await startTestApi(place.url);
    expect((await api.get('/dashboard/stats')).body).toEqual({
      threat_level: 'none',
      active_devices: 0,
      devices: 0,
      attacks_today: 0,
      open_alerts: 0,
      benign_rate: null,
      gateways: { enrolled: 2, online: 2 },
      active_decisions: 0,
      losses: { dropped_by_gateways: 0, rejected: 0 },
    });
    await api.ingest('counters', [
      { kind: 'counters', body: sampleCounters() },
      { kind: 'counters', body: sampleCounters({ attacks: 4 }) },
    ]);
    await api.ingest('predictions', [{ kind: 'prediction', body: samplePrediction(1, { score: 0.5 }) }]);
    await api.ingest('alerts', [
      { kind: 'alert', body: sampleAlert({ severity: 'high' }) },
      { kind: 'alert', body: sampleAlert({ severity: 'low', class: 'port_scan' }) },
    ]);
    await api.ingest('decisions', [decided(sampleDecision(), 'applied')]);
    await api.ingest('flows', [{ kind: 'gap', body: { from_seq: 1, to_seq: 1, dropped: 1 } }]);

    expect((await api.get('/predictions/stats')).body).toEqual({
      total: 40,
      attacks: 5,
      benign: 35,
      attack_percent: 12.5,
      benign_percent: 87.5,
    });
    expect((await api.get('/dashboard/stats')).body).toMatchObject({
      threat_level: 'high',
      active_devices: 1,
      devices: 1,
      attacks_today: 2,
      open_alerts: 2,
      benign_rate: 0.875,
      active_decisions: 1,
      losses: { dropped_by_gateways: 1, rejected: 0 },
    });
    expect((await api.get('/dashboard/stats?gateway=edge-2')).body).toMatchObject({
      threat_level: 'none',
      devices: 0,
      active_decisions: 0,
      gateways: { enrolled: 1 },
    });
    const { body: timeline } = await api.get('/dashboard/timeline?bucket=day');
    expect(timeline.items.at(-1)).toMatchObject({ predictions: 40, attacks: 5, max_score: 0.97, mean_score: 0.5 });
    const minutes = await api.get('/dashboard/timeline?bucket=minute&time_range=30d');
    expect(minutes).toMatchObject({ status: 422, body: { errors: [{ pointer: '#/query/bucket' }] } });
    expect((await api.get('/dashboard/timeline?bucket=minute&time_range=24h')).status).toBe(200);
    expect((await api.get('/dashboard/attack-distribution')).body).toEqual({ brute_force_ssh: 1, port_scan: 1 });
    expect((await api.get('/dashboard/device-health')).body.items).toMatchObject([
      { status: 'under_attack', threat_count_today: 2, monitored: true },
    ]);
  });
});
