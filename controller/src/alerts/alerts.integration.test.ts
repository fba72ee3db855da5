import { expect, test } from 'vitest';
import { describeOnBothDatabases } from '../../../.ci/both-databases.ts';
import { AlertDetail, StoredAlert } from '@picket/shared/contract/stored-alert';
import { decided, sampleAlert, sampleDecision } from '../testing/sample-events.ts';
import { startTestApi } from '../testing/test-api.ts';

describeOnBothDatabases('alerts over HTTP', (open) => {
  test('an alert is listed, read whole, acknowledged, resolved and reopened; each step is kept with who took it', async () => {
    await using place = await open();
    await using api = await startTestApi(place.url);
    const decision = sampleDecision();
    const alert = sampleAlert({ decision_ids: [decision.id], action_taken: 'ip_blocked' });
    const earlier = sampleAlert({ device: { address: '192.168.1.99', mac: null }, message: 'the same peer elsewhere' });
    await api.ingest('alerts', [
      { kind: 'alert', body: earlier },
      { kind: 'alert', body: alert },
    ]);
    await api.ingest('decisions', [decided({ ...decision, alert_id: alert.id }, 'applied')]);

    const { body: list } = await api.get('/alerts');
    expect(list.items.map((item: unknown) => StoredAlert.parse(item).id).toSorted()).toEqual(
      [earlier.id, alert.id].toSorted(),
    );
    expect(list.items[0].summary).toMatch(/^412 new TCP connections to port 22/);
    const { body: detail } = await api.get(`/alerts/${alert.id}`);
    expect(AlertDetail.parse(detail)).toMatchObject({
      attack_type: 'brute_force_ssh',
      risk_level: 'critical',
      is_acknowledged: false,
      decisions: [{ id: decision.id, gateways: [{ gateway_id: 'edge-1', state: 'applied' }] }],
      related: [{ id: earlier.id }],
      explanation: { top_features: [{ feature: 'Flow Duration' }] },
    });

    const path = `/alerts/${alert.id}`;
    expect((await api.get('/alerts/unread-count')).body).toEqual({ count: 2 });
    const first = await api.call('operator', 'PATCH', `${path}/acknowledge`, { note: 'looking' });
    expect(first).toMatchObject({ status: 200, body: { status: 'acknowledged', acknowledged_by: 'operator' } });
    expect((await api.call('admin', 'PATCH', `${path}/acknowledge`)).body, 'the first one stays').toEqual(first.body);
    expect((await api.get('/alerts/unread-count')).body).toEqual({ count: 1 });
    const resolved = await api.call('operator', 'POST', `${path}/resolve`, {
      resolution: 'false_positive',
      notes: 'a backup',
    });
    expect(resolved.body.alert).toMatchObject({
      status: 'false_positive',
      resolved_by: 'operator',
      resolution_notes: 'a backup',
    });
    const forbidden = await api.call('operator', 'PATCH', path, { status: 'investigating' });
    expect(forbidden).toMatchObject({ status: 409, body: { code: 'conflict' } });
    expect(forbidden.body.detail).toContain('false_positive cannot become investigating');
    const reopened = await api.call('operator', 'PATCH', path, { status: 'active' });
    expect(reopened.body).toMatchObject({
      status: 'active',
      acknowledged_by: null,
      resolved_at: null,
      resolution_notes: null,
    });
    expect((await api.get(path)).body.history).toMatchObject([
      { who: 'operator', from: 'active', to: 'acknowledged', note: 'looking' },
      { from: 'acknowledged', to: 'false_positive', note: 'a backup' },
      { from: 'false_positive', to: 'active', note: null },
    ]);
  });

  test('resolving an alert that nobody acknowledged acknowledges it', async () => {
    await using place = await open();
    await using api = await startTestApi(place.url);
    const alert = sampleAlert();
    await api.ingest('alerts', [{ kind: 'alert', body: alert }]);
    const { body } = await api.call('operator', 'POST', `/alerts/${alert.id}/resolve`);
    expect(body.alert).toMatchObject({ status: 'resolved', is_acknowledged: true, acknowledged_by: 'operator' });
  });

  test('filters, search, time and pages find what they should and nothing else', async () => {
    await using place = await open();
    await using api = await startTestApi(place.url);
    const alerts = [
      sampleAlert({ severity: 'low', class: 'port_scan', message: '100%_sure scan' }),
      sampleAlert({ severity: 'high', peer: null, alert_type: 'sustained_attack' }),
      sampleAlert({ severity: 'critical', device: { address: '192.168.1.77', mac: null } }),
    ];
    for (const body of alerts) await api.ingest('alerts', [{ kind: 'alert', body }]);
    await api.ingest('alerts', [{ kind: 'alert', body: sampleAlert({ class: 'ddos_flood' }) }], 'edge-2');
    const idsOf = async (query: string): Promise<string[]> =>
      (await api.get(`/alerts?${query}`)).body.items.map((item: { id: string }) => item.id);
    expect(await idsOf('severity=high')).toEqual([alerts[1]!.id]);
    expect(await idsOf('attack_type=port_scan&severity=all&status=all')).toEqual([alerts[0]!.id]);
    expect(await idsOf('alert_type=sustained_attack')).toEqual([alerts[1]!.id]);
    expect(await idsOf('gateway=edge-2')).toHaveLength(1);
    expect(await idsOf('search=100%25_S')).toEqual([alerts[0]!.id]);
    expect(await idsOf('search=100%25%25'), 'a wildcard stands for itself').toEqual([]);
    expect(await idsOf('acknowledged=true')).toEqual([]);
    expect(await idsOf('time_range=1h')).toHaveLength(4);
    expect(await idsOf('to=2020-01-01T00:00:00Z')).toEqual([]);
    const { body: device } = await api.get('/devices?search=192.168.1.77');
    expect(await idsOf(`device_id=${device.items[0].id}`)).toEqual([alerts[2]!.id]);

    const seen: string[] = [];
    for (let cursor = ''; ;) {
      const { body } = await api.get(`/alerts?limit=3${cursor}`);
      seen.push(...body.items.map((item: { id: string }) => item.id));
      if (body.next_cursor === null) break;
      cursor = `&cursor=${body.next_cursor}`;
    }
    expect(seen).toHaveLength(4);
    expect(new Set(seen).size).toBe(4);
    expect(await api.get('/alerts?severity=urgent')).toMatchObject({
      status: 422,
      body: { errors: [{ pointer: '#/query/severity' }] },
    });
    expect((await api.get('/alerts?time_range=24h&from=2026-01-01T00:00:00Z')).status).toBe(422);
    expect((await api.get('/alerts/stats')).body).toMatchObject({
      total: 4,
      by_severity: { low: 1, high: 1, critical: 2 },
      by_status: { active: 4 },
      timeline: [{ count: expect.any(Number) as number }],
    });
  });

  test('who may not, cannot; what is not there is not found', async () => {
    await using place = await open();
    await using api = await startTestApi(place.url);
    const alert = sampleAlert();
    await api.ingest('alerts', [{ kind: 'alert', body: alert }]);
    expect((await api.call('viewer', 'PATCH', `/alerts/${alert.id}/acknowledge`)).status).toBe(403);
    expect((await api.call('viewer', 'POST', `/alerts/${alert.id}/resolve`)).status).toBe(403);
    expect((await api.get('/alerts/019a0000-0000-7000-8000-00000000dead')).status).toBe(404);
    expect((await api.get('/alerts/17')).status).toBe(404);
    expect((await api.call('operator', 'PATCH', `/alerts/${alert.id}`, { colour: 'red' })).status).toBe(422);
  });
});
