import { expect, test } from 'vitest';
import { describeOnBothDatabases } from '../../../.ci/both-databases.ts';
import type { Flow } from '@picket/shared/contract/flow';
import { newId, type AlertId } from '@picket/shared/contract/identifiers';
import type { Prediction } from '@picket/shared/contract/prediction';
import { RuleDryRun } from '@picket/shared/contract/rule-dry-run';
import { defaultRules } from '@picket/shared/policy/default-rules';
import { featureNames } from '@picket/shared/features/feature-schema';
import { trafficClasses, type TrafficClass } from '@picket/shared/features/traffic-classes';
import {
  decided,
  sampleAlert,
  sampleBoot,
  sampleDecision,
  sampleFlow,
  sampleInstant,
  samplePrediction,
} from '../testing/sample-events.ts';
import { startTestApi, type TestApi } from '../testing/test-api.ts';

const path = '/prevention/rules/dry-run';
const rule = {
  name: 'try it',
  action: 'block',
  classes: ['brute_force_ssh'],
  min_windows: 2,
  of_windows: 3,
  min_flows: 3,
};

const camera = { address: '192.168.1.20', mac: '02:42:ac:11:00:02' };

/** One window as a gateway reports it: its flows of this second, and what the model said of them. */
async function reportWindow(
  api: TestApi,
  second: number,
  numbers: readonly number[],
  { flow, prediction }: { flow: (number: number) => Partial<Flow>; prediction: Partial<Prediction> },
): Promise<void> {
  const span = { started_at: sampleInstant(second), last_packet_at: sampleInstant(second + 1) };
  const flows = numbers.map((number) => sampleFlow(number, { ...span, ...flow(number) }));
  await api.ingest(
    'flows',
    flows.map((body) => ({ kind: 'flow', body })),
  );
  const body = samplePrediction(second, {
    at: span.last_packet_at,
    flows_seen: numbers.length,
    flow_ids: numbers.map((number) => `${sampleBoot}.${number}`),
    ...prediction,
  });
  await api.ingest('predictions', [{ kind: 'prediction', body }]);
}

const numbered = (first: number, count: number): number[] => Array.from({ length: count }, (_, index) => first + index);
const sureOf = (attack: TrafficClass): number[] =>
  trafficClasses.map((name) => (name === attack ? 0.97 : name === 'benign' ? 0.03 : 0));

/** Windows in which a device scans the outside. `isRelayed`: all of it came from beyond a router, in the device's name. */
async function scan(api: TestApi, isRelayed: boolean): Promise<void> {
  for (let window = 0; window < 3; window++) {
    await reportWindow(api, window * 10, numbered(window * 5, 5), {
      flow: (number) => ({
        device: camera,
        direction: 'outbound',
        src_ip: camera.address,
        dst_ip: `203.0.113.${number + 1}`,
        dst_port: 1000 + number,
        ...(isRelayed ? { is_relayed: true } : {}),
      }),
      prediction: { device: camera, class_probabilities: sureOf('port_scan') },
    });
  }
}

/** Two bursts of ten forged knocks each, which the network takes for benign. `ack`: of each connection, both ways. */
async function knocks(api: TestApi, ack: number): Promise<void> {
  const features = new Float32Array(featureNames.length);
  features[featureNames.indexOf('SYN Flag Count')] = 2;
  features[featureNames.indexOf('ACK Flag Count')] = ack;
  for (let window = 0; window < 2; window++) {
    await reportWindow(api, window * 10, numbered(window * 10, 10), {
      flow: (number) => ({
        device: camera,
        src_ip: `203.0.113.${number + 1}`,
        dst_port: 80,
        fwd_packets: 1,
        bwd_packets: 1,
        fwd_bytes: 0,
        bwd_bytes: 0,
        features: Buffer.from(features.buffer).toString('base64'),
      }),
      prediction: { device: camera, score: 0.1 },
    });
  }
}

/** `windows` windows of five new flows each from one host, ten seconds apart, beginning at second `at`. */
async function attack(
  api: TestApi,
  srcIp: string,
  at: number,
  windows: number,
  address = '192.168.1.20',
): Promise<void> {
  const device = { address, mac: null };
  for (let window = 0; window < windows; window++) {
    await reportWindow(api, at + window * 10, numbered(at * 1000 + window * 5, 5), {
      flow: () => ({ device, src_ip: srcIp, dst_ip: address }),
      prediction: { device, class_probabilities: sureOf('brute_force_ssh') },
    });
  }
}

async function dryRun(api: TestApi, body: object, query = ''): Promise<RuleDryRun> {
  const answer = await api.call('operator', 'POST', `${path}${query}`, body);
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  return RuleDryRun.parse(answer.body);
}

describeOnBothDatabases('the dry run of a rule', (open) => {
  test('says what it would have restricted, how often, and what people called wrong since', async () => {
    await using place = await open();
    await using api = await startTestApi(place.url);
    await attack(api, '203.0.113.9', 0, 3);
    await attack(api, '203.0.113.10', 100, 3, '192.168.1.21');
    await attack(api, '203.0.113.11', 200, 1, '192.168.1.22');
    const found = await dryRun(api, { rule });
    expect(found.items.map(({ value, times, false_times }) => [value, times, false_times])).toEqual([
      ['203.0.113.10', 1, 0],
      ['203.0.113.9', 1, 0],
    ]);
    expect(found.summary).toMatchObject({ windows: 7, proven: 4, times: 2, false_times: 0, truncated: false });
    expect(found.items[1]).toMatchObject({
      gateways: ['edge-1'],
      devices: ['192.168.1.20'],
      classes: ['brute_force_ssh'],
    });
    expect(found.items[1]?.prediction_ids).toHaveLength(1);

    const alert = sampleAlert({
      id: newId() as AlertId,
      device: { address: '192.168.1.20', mac: null },
      first_seen_at: sampleInstant(0),
      last_seen_at: sampleInstant(30),
    });
    await api.ingest('alerts', [{ kind: 'alert', body: alert }]);
    await api.call('operator', 'POST', `/alerts/${alert.id}/resolve`, {
      resolution: 'false_positive',
      notes: 'a test',
    });
    // An alert that comes back again and again may have been opened long before the days that are asked about.
    await api.controller.database.writer
      .updateTable('alerts')
      .set({ created_at: '2020-01-01T00:00:00.000Z' })
      .execute();
    const decision = sampleDecision({ value: '203.0.113.10' });
    await api.ingest('decisions', [decided(decision, 'verified')]);
    await api.call('operator', 'DELETE', `/decisions/${decision.id}`);
    const judged = await dryRun(api, { rule });
    expect(judged.summary).toMatchObject({ times: 2, false_times: 2 });
    expect(judged.items.map((item) => [item.false_positive_alerts, item.released_decisions])).toEqual([
      [[], [decision.id]],
      [[alert.id], []],
    ]);
  });

  test('a harder rule would have done less, and a rule of another gateway nothing', async () => {
    await using place = await open();
    await using api = await startTestApi(place.url);
    await attack(api, '203.0.113.9', 0, 3);
    expect((await dryRun(api, { rule })).summary.times).toBe(1);
    expect((await dryRun(api, { rule: { ...rule, threshold: 0.99 } })).summary).toMatchObject({ proven: 0, times: 0 });
    expect((await dryRun(api, { rule: { ...rule, min_windows: 4, of_windows: 4 } })).summary.times).toBe(0);
    expect((await dryRun(api, { rule: { ...rule, gateway_id: 'edge-2' } })).summary.times).toBe(0);
    expect((await dryRun(api, { rule: { ...rule, device_type: 'camera' } })).summary.times).toBe(0);
    expect((await dryRun(api, { rule_id: defaultRules[2]!.id })).summary.times).toBe(1);
    expect((await api.call('operator', 'POST', path, { rule_id: newId() })).status).toBe(404);
    expect((await api.call('viewer', 'POST', path, { rule })).status).toBe(403);
    expect((await api.call('operator', 'POST', path, { rule, days: 8 })).status).toBe(422);
  });

  test.each([
    ['left half-open', 1, [['rate_limit', '192.168.1.20 tcp/80']]],
    ['gone on with', 3, []],
  ] as const)(
    'connections that are %s are judged as a gateway does, whatever their score',
    async (_what, ack, limits) => {
      await using place = await open();
      await using api = await startTestApi(place.url);
      await knocks(api, ack);
      const floods = { ...rule, name: 'floods', classes: ['ddos_flood'], min_flows: 1 };
      const found = await dryRun(api, { rule: floods });
      expect(found.items.map(({ action, value }) => [action, value])).toEqual(limits);
      expect((await dryRun(api, { rule })).items, 'a rule of other attacks').toEqual([]);
    },
  );

  test('what gateways refuse is not counted as restricted', async () => {
    await using place = await open();
    await using api = await startTestApi(place.url);
    await attack(api, '203.0.113.9', 0, 3);
    await attack(api, '203.0.113.10', 100, 3, '192.168.1.21');
    await attack(api, '203.0.113.11', 200, 3, '192.168.1.22');
    expect((await dryRun(api, { rule })).summary).toMatchObject({ times: 3, refused_times: 0 });
    const guard = { admin_prefixes: [], management_ports: [22], never_block: ['203.0.113.10/31'] };
    expect((await api.call('admin', 'PATCH', '/gateways/edge-1', { guard })).status).toBe(200);
    const found = await dryRun(api, { rule });
    expect(found.items.map(({ value }) => value)).toEqual(['203.0.113.9']);
    expect(found.summary.times).toBe(1);
    expect(found.summary.refused_times).toBeGreaterThanOrEqual(2);
    expect(found.summary.caveats.join()).toContain('own file');
    expect(found.summary.caveats.join()).toContain('lower threshold of their own');
    expect(found.summary.caveats.join()).toContain('tell by counting');
  });

  test('other rules go first or make an exception as they do on a gateway', async () => {
    await using place = await open();
    await using api = await startTestApi(place.url);
    await attack(api, '203.0.113.9', 0, 3);
    const narrow = { ...rule, name: 'narrow', device: '192.168.1.20' };
    const made = await api.call('admin', 'POST', '/prevention/rules', { ...narrow, action: 'alert_only' });
    expect(made.status, JSON.stringify(made.body)).toBe(201);
    expect((await dryRun(api, { rule })).summary).toMatchObject({ proven: 2, times: 0 });
    expect((await dryRun(api, { rule: { ...narrow, name: 'other' } })).summary.times, 'equals').toBe(1);
    await api.call('admin', 'POST', `/prevention/rules/${made.body.id}/toggle`, { is_enabled: false });
    expect((await dryRun(api, { rule })).summary.times).toBe(1);
    const harder = await api.call('admin', 'POST', '/prevention/rules', { ...narrow, name: 'harder' });
    expect((await dryRun(api, { rule })).summary, 'the narrower rule acts').toMatchObject({ proven: 2, times: 0 });
    expect((await dryRun(api, { rule_id: harder.body.id })).summary.times).toBe(1);
  });

  test.each([false, true])(
    'a quarantine names the MAC, and nobody for what came in its name (relayed: %s)',
    async (isRelayed) => {
      await using place = await open();
      await using api = await startTestApi(place.url);
      await scan(api, isRelayed);
      const found = await dryRun(api, { rule: { ...rule, classes: ['port_scan'], action: 'quarantine' } });
      expect(found.summary).toMatchObject({ windows: 3, proven: 2, windows_without_flows: 0 });
      expect(found.items.map(({ action, scope, value }) => [action, scope, value])).toEqual(
        isRelayed ? [] : [['quarantine', 'device', camera.mac]],
      );
    },
  );

  test('comes in pages that together are the whole, and says where no flow was kept', async () => {
    await using place = await open();
    await using api = await startTestApi(place.url);
    for (let host = 0; host < 5; host++)
      await attack(api, `198.51.${host + 1}.9`, host * 100, 2, `192.168.1.${host + 30}`);
    const values: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page: RuleDryRun = await dryRun(api, { rule }, `?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`);
      expect(page.summary.restrictions).toBe(5);
      values.push(...page.items.map(({ value }) => value));
      cursor = page.next_cursor;
    }
    expect(values).toEqual([1, 2, 3, 4, 5].map((net) => `198.51.${net}.9`));
    await api.controller.database.writer.deleteFrom('flows').execute();
    const { summary } = await dryRun(api, { rule });
    expect(summary).toMatchObject({ proven: 5, windows_without_flows: 5, times: 0 });
  });
});
