/** Gateways through the API, on both databases. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseEnrolmentToken } from '@picket/shared/contract/enrolment-token';
import { GatewayId, newId } from '@picket/shared/contract/identifiers';
import type { BootId } from '@picket/shared/contract/identifiers';
import { describeOnBothDatabases } from '../../../.ci/both-databases.ts';
import type { TestDatabase } from '../../../.ci/both-databases.ts';
import { startTestApi, type TestApi } from '../testing/test-api.ts';

const edge1 = GatewayId.parse('edge-1');
const now = (): string => new Date().toISOString();

const figures = {
  uptime_seconds: 60,
  rss_bytes: 1e8,
  capture: { interface: 'br-lan', packets: 10, bytes: 1000, dropped_kernel: 7, undecodable: 0, restarts: 0 },
  flows: { active: 1, ended: 2, reports: 0, evicted: 0, dropped: 3 },
  detection: { windows: 1, predictions: 1, attacks: 0, dropped: 4, latency_ms_mean: 1 },
  enforcement: { in_force: 0, refused: 0, failed: 0, drift_repairs: 0, packets_dropped: 0, packets_would_drop: 0 },
  outbox: { rows: 0, bytes: 0, dropped: 0, oldest_age_seconds: 0 },
  devices: 3,
};

describeOnBothDatabases('gateways', (open) => {
  let place: TestDatabase;
  let api: TestApi;

  beforeEach(async () => {
    place = await open();
    api = await startTestApi(place.url);
  });
  afterEach(async () => {
    await api[Symbol.asyncDispose]();
    await place[Symbol.asyncDispose]();
  });

  test('are listed page by page, filtered by status', async () => {
    const first = await api.get('/gateways?limit=1');
    expect(first.body.items).toMatchObject([{ id: 'edge-1', mode: 'simulate', health: null }]);
    const second = await api.get(`/gateways?limit=1&cursor=${first.body.next_cursor}`);
    expect(second.body).toMatchObject({ items: [{ id: 'edge-2' }], next_cursor: null });
    expect((await api.get('/gateways?status=revoked')).body.items).toEqual([]);
    expect((await api.get('/gateways?status=sleepy')).status).toBe(422);
    expect((await api.get('/gateways/nowhere')).status).toBe(404);
  });

  test('show health with its history, and every loss that it names', async () => {
    await api.controller.fleet.gateways.takeHealth(edge1, { ...figures, at: now(), boot_id: newId() as BootId });
    const { body } = await api.get('/gateways/edge-1');
    expect(body.health).toMatchObject({ devices: 3 });
    expect(body.losses).toEqual({ events_lost: 0, events_rejected: 0, packets_dropped: 7, pipeline_dropped: 7 });
    expect((await api.get('/gateways/edge-1/health')).body.items).toMatchObject([{ health: { devices: 3 } }]);
  });

  test('a change makes a new policy version, is in sync once the gateway says so, and is guarded by its ETag', async () => {
    const before = await api.get('/gateways/edge-1');
    const etag = before.headers.get('etag') ?? '';
    const version = before.body.twin.policy.desired_version;
    const guard = { admin_prefixes: ['10.0.0.0/24'], management_ports: [22], never_block: ['10.0.0.1'] };
    const changed = await api.call(
      'admin',
      'PATCH',
      '/gateways/edge-1',
      { mode: 'enforce', guard },
      { 'if-match': etag },
    );
    expect(changed).toMatchObject({ status: 200, body: { mode: 'enforce', guard } });
    expect(
      (await api.call('admin', 'PATCH', '/gateways/edge-1', { mode: 'observe' }, { 'if-match': etag })).status,
    ).toBe(412);
    const waiting = (await api.get('/gateways/edge-1')).body.twin.policy;
    expect(waiting).toEqual({ desired_version: version + 1, reported: null, in_sync: false });
    await api.controller.fleet.gateways.takeReported(edge1, {
      at: now(),
      policy: { version: version + 1, step: 'verified', detail: null },
      decisions: { version: 0, step: 'verified', detail: null, in_force: 2 },
      mode: 'enforce',
      model_version: 'm1',
      threshold: 0.5,
    });
    expect((await api.get('/gateways/edge-1')).body.twin).toMatchObject({
      policy: { in_sync: true },
      mode: 'enforce',
      in_force: 2,
    });
  });

  test('a policy that is still being tried, and decisions the kernel does not hold, are not in sync, on either door', async () => {
    const { writer } = api.controller.database;
    await writer.updateTable('gateways').set({ protocol: 2 }).where('id', '=', 'edge-1').execute();
    await api.controller.fleet.twin.refreshAll();
    const { policy } = (await api.get('/gateways/edge-1')).body.twin;
    const version = policy.desired_version as number;
    const told: { policy: boolean; decisions: boolean }[] = [];
    const unsubscribe = api.controller.feed.subscribe('live', (text) => {
      const { type, data } = JSON.parse(text);
      if (type === 'gateway_status')
        told.push({ policy: data.twin.policy.in_sync, decisions: data.twin.decisions.in_sync });
      return 'taken';
    });
    await writer.updateTable('gateways').set({ decisions_version: 3 }).where('id', '=', 'edge-1').execute();
    for (const step of ['received', 'validated', 'applied', 'verified', 'confirmed', 'rolled_back'] as const) {
      await api.controller.fleet.gateways.takeReported(edge1, {
        at: now(),
        policy: { version, step, detail: null },
        decisions: { version: 3, step, detail: null, in_force: 0 },
        mode: 'simulate',
        model_version: 'm1',
        threshold: 0.5,
      });
      const { twin } = (await api.get('/gateways/edge-1')).body;
      expect(told.at(-1), step).toEqual({ policy: step === 'confirmed', decisions: /verified|confirmed/.test(step) });
      expect({ policy: twin.policy.in_sync, decisions: twin.decisions.in_sync }, step).toEqual(told.at(-1));
    }
    unsubscribe();
    expect(told).toHaveLength(6);
  });

  test.each([
    [{ mode: 'panic' }, '/mode'],
    [{ threshold: 2 }, '/threshold'],
    [{ guard: { admin_prefixes: ['everyone'], management_ports: [22], never_block: [] } }, '/guard/admin_prefixes/0'],
    [{ threshold: 0 }, '/threshold'],
    [
      { guard: { admin_prefixes: ['10.0.0.0/8', '0.0.0.0/0'], management_ports: [22], never_block: [] } },
      '/guard/admin_prefixes/1',
    ],
    [{ guard: { admin_prefixes: [], management_ports: [22], never_block: ['::/0'] } }, '/guard/never_block/0'],
    [{ surprise: 1 }, '/surprise'],
  ])('a change that cannot be is refused by its field: %j', async (change, pointer) => {
    const { status, body } = await api.call('admin', 'PATCH', '/gateways/edge-1', change);
    expect(status).toBe(422);
    expect(body.errors).toMatchObject([{ pointer }]);
  });

  test('only an admin makes tokens, changes and revokes', async () => {
    for (const role of ['viewer', 'operator'] as const) {
      expect((await api.call(role, 'POST', '/gateways/enrolment-tokens', {})).status).toBe(403);
      expect((await api.call(role, 'PATCH', '/gateways/edge-1', { mode: 'enforce' })).status).toBe(403);
      expect((await api.call(role, 'DELETE', '/gateways/edge-1')).status).toBe(403);
    }
  });

  test('a token is shown once, and neither its secret nor a trace of it is kept', async () => {
    const { status, body } = await api.call('admin', 'POST', '/gateways/enrolment-tokens', { gateway_id: 'edge-3' });
    expect(status).toBe(201);
    expect(body.command).toBe(`picket-agent enroll --token ${body.token} --gateway-id edge-3`);
    const secret = parseEnrolmentToken(body.token)?.secret ?? '';
    expect(secret).toHaveLength(43);
    const { reader } = api.controller.database;
    const kept = JSON.stringify([
      await reader.selectFrom('enrolment_tokens').selectAll().execute(),
      await reader.selectFrom('audit_log').selectAll().execute(),
    ]);
    expect(kept).toContain(body.id);
    expect(kept).not.toContain(secret);
  });

  test('a revoked gateway stays in the books, takes no change, and is revoked once', async () => {
    expect((await api.call('admin', 'DELETE', '/gateways/edge-1')).status).toBe(204);
    expect((await api.get('/gateways/edge-1')).body).toMatchObject({ status: 'revoked' });
    expect((await api.call('admin', 'PATCH', '/gateways/edge-1', { mode: 'enforce' })).status).toBe(404);
    expect((await api.call('admin', 'DELETE', '/gateways/edge-1')).status).toBe(404);
  });
});
