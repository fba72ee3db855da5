import { expect, test } from 'vitest';
import { describeOnBothDatabases } from '../../../.ci/both-databases.ts';
import { Device, DeviceLiveStatus, DeviceStats } from '@picket/shared/contract/device';
import {
  decided,
  sampleAlert,
  sampleCounters,
  sampleDecision,
  sampleFlow,
  samplePrediction,
} from '../testing/sample-events.ts';
import { startTestApi, type TestApi } from '../testing/test-api.ts';

const camera = { name: 'Door camera', device_type: 'camera', ip_address: '192.168.1.20', gateway_id: 'edge-1' };

async function discovered(api: TestApi): Promise<Device> {
  await api.ingest('flows', [{ kind: 'flow', body: sampleFlow(1) }]);
  return Device.parse((await api.get('/devices')).body.items[0]);
}

describeOnBothDatabases('devices over HTTP', (open) => {
  test('a device is registered, found, changed and deleted', async () => {
    await using place = await open();
    await using api = await startTestApi(place.url);
    const { status, body } = await api.call('operator', 'POST', '/devices', {
      ...camera,
      device_type: 'gateway',
      traffic_source: 'live_capture',
      mac: '02:42:AC:11:00:02',
      protocol: 'http',
      port: 80,
    });
    expect(status).toBe(201);
    expect(Device.parse(body)).toMatchObject({
      device_type: 'hub',
      traffic_source: 'live',
      mac: '02:42:ac:11:00:02',
      status: 'offline',
      last_seen_at: null,
      threat_count_today: 0,
      origin: 'registered',
      monitored: true,
    });
    const path = `/devices/${body.id}`;
    expect((await api.call('operator', 'PUT', path, { name: 'Back door' })).body).toMatchObject({
      name: 'Back door',
      port: 80,
    });
    expect((await api.call('operator', 'PATCH', path, { description: 'by the shed' })).body.description).toBe(
      'by the shed',
    );
    const idsOf = async (query: string): Promise<string[]> =>
      (await api.get(`/devices?${query}`)).body.items.map((item: { id: string }) => item.id);
    expect(await idsOf('search=BACK')).toEqual([body.id]);
    expect(await idsOf('type=hub&gateway=edge-1&status=offline')).toEqual([body.id]);
    expect(await idsOf('type=camera')).toEqual([]);
    expect(await idsOf('status=online')).toEqual([]);
    expect((await api.call('operator', 'DELETE', path)).status, 'deleting is for admins').toBe(403);
    expect((await api.call('admin', 'DELETE', path)).status).toBe(204);
    expect((await api.get(path)).status).toBe(404);
  });

  test('a name or an address that is taken is a conflict, a gateway that is not there is refused', async () => {
    await using place = await open();
    await using api = await startTestApi(place.url);
    await api.call('operator', 'POST', '/devices', camera);
    const post = (change: object) => api.call('operator', 'POST', '/devices', { ...camera, name: 'Other', ...change });
    expect((await post({})).status, 'same address').toBe(409);
    expect((await post({ name: camera.name, ip_address: '192.168.1.21' })).status).toBe(409);
    expect((await post({ gateway_id: 'edge-2' })).status, 'another LAN').toBe(201);
    const unknown = await post({ name: 'Third', gateway_id: 'edge-9' });
    expect(unknown).toMatchObject({ status: 422, body: { errors: [{ pointer: '/gateway_id' }] } });
    expect((await post({ name: 'Third', ip_address: '300.1.1.1' })).status).toBe(422);
    expect((await api.call('viewer', 'POST', '/devices', camera)).status).toBe(403);
  });

  test('stopping asks the gateway to leave the device alone, starting to watch it again', async () => {
    await using place = await open();
    await using api = await startTestApi(place.url);
    const device = await discovered(api);
    const policyOf = async (): Promise<number> =>
      (
        await api.controller.database.reader
          .selectFrom('gateways')
          .select('policy_version')
          .where('id', '=', 'edge-1')
          .executeTakeFirstOrThrow()
      ).policy_version;
    const before = await policyOf();
    const stopped = await api.call('operator', 'POST', `/devices/${device.id}/stop`);
    expect(stopped).toMatchObject({ status: 202, body: { monitored: false } });
    expect(await api.controller.history.devices.unmonitored('edge-1' as never)).toEqual(['192.168.1.20']);
    expect(await policyOf()).toBe(before + 1);
    expect(DeviceLiveStatus.parse((await api.get(`/devices/${device.id}/status`)).body)).toMatchObject({
      gateway_online: true,
      monitoring: { desired: false, reported: null },
    });
    expect((await api.call('operator', 'POST', `/devices/${device.id}/start`)).body).toMatchObject({ monitored: true });
    expect(await api.controller.history.devices.unmonitored('edge-1' as never)).toEqual([]);
    const { body: homeless } = await api.call('operator', 'POST', '/devices', { name: 'On paper' });
    expect((await api.call('operator', 'POST', `/devices/${homeless.id}/stop`)).status).toBe(409);
  });

  test('the status follows what happens: seen, attacked, quarantined, and silent', async () => {
    await using place = await open();
    await using api = await startTestApi(place.url);
    const device = await discovered(api);
    const statusOf = async (): Promise<string> => (await api.get(`/devices/${device.id}`)).body.status;
    expect(await statusOf()).toBe('online');
    const alert = sampleAlert({ severity: 'high' });
    await api.ingest('alerts', [{ kind: 'alert', body: alert }]);
    expect(await statusOf()).toBe('under_attack');
    const quarantine = sampleDecision({ action: 'quarantine', scope: 'device', value: '02:42:ac:11:00:02' });
    await api.ingest('decisions', [decided(quarantine, 'simulated')]);
    expect(await statusOf(), 'counting is not quarantine').toBe('under_attack');
    await api.ingest('decisions', [decided(quarantine, 'verified')]);
    expect(await statusOf()).toBe('quarantined');
    await api.ingest('decisions', [decided(quarantine, 'retracted')]);
    await api.call('operator', 'POST', `/alerts/${alert.id}/resolve`);
    expect(await statusOf()).toBe('online');
    await api.controller.database.writer.updateTable('gateways').set({ online: 0 }).execute();
    expect(await statusOf()).toBe('offline');
  });

  test('figures of a device are what its gateway counted today', async () => {
    await using place = await open();
    await using api = await startTestApi(place.url);
    const device = await discovered(api);
    await api.ingest('counters', [{ kind: 'counters', body: sampleCounters() }]);
    await api.ingest('predictions', [{ kind: 'prediction', body: samplePrediction(1, { flows_seen: 7 }) }]);
    expect((await api.get(`/devices/${device.id}/status`)).body).toMatchObject({ buffer_fill: 7, source: 'live' });
    await api.ingest('alerts', [{ kind: 'alert', body: sampleAlert() }]);
    const { body } = await api.get(`/devices/${device.id}/stats`);
    expect(DeviceStats.parse(body)).toMatchObject({
      threats_today: 1,
      flows_today: 10,
      predictions_today: 20,
      benign_rate: 0.95,
    });
  });

  test('a deleted device takes its traffic along; its alerts stay with its name', async () => {
    await using place = await open();
    await using api = await startTestApi(place.url);
    const device = await discovered(api);
    const prediction = samplePrediction(1);
    const alert = sampleAlert();
    await api.ingest('predictions', [{ kind: 'prediction', body: prediction }]);
    await api.ingest('counters', [{ kind: 'counters', body: sampleCounters() }]);
    await api.ingest('alerts', [{ kind: 'alert', body: alert }]);
    await api.call('operator', 'PATCH', `/devices/${device.id}`, { name: 'Shed camera' });
    expect((await api.call('admin', 'DELETE', `/devices/${device.id}`)).status).toBe(204);
    expect((await api.get(`/predictions/${prediction.id}`)).status).toBe(404);
    expect((await api.get(`/traffic/${device.id}`)).status).toBe(404);
    for (const table of ['flows', 'predictions', 'minute_counters'] as const) {
      const rows = await api.controller.database.reader.selectFrom(table).selectAll().execute();
      expect(rows, table).toEqual([]);
    }
    expect((await api.get(`/alerts/${alert.id}`)).body).toMatchObject({ device_id: null, device_name: 'Shed camera' });
    const audit = await api.controller.database.reader.selectFrom('audit_log').select(['who', 'what']).execute();
    expect(audit).toContainEqual({ who: 'admin', what: 'device.delete' });
  });
});
