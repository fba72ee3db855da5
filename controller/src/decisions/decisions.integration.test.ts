import { expect, test } from 'vitest';
import { describeOnBothDatabases } from '../../../.ci/both-databases.ts';
import { DecisionExplanation, StoredDecision } from '@picket/shared/contract/stored-decision';
import { defaultRules } from '@picket/shared/policy/default-rules';
import { decided, sampleAlert, sampleDecision } from '../testing/sample-events.ts';
import { startTestApi, type TestApi } from '../testing/test-api.ts';

const block = { scope: 'ip', value: '203.0.113.9', duration: '4h', reason: 'scans us' };

async function logOf(api: TestApi, gateway: string): Promise<string[]> {
  const rows = await api.controller.database.reader
    .selectFrom('decision_log')
    .select(['op', 'decision_id'])
    .where('gateway_id', '=', gateway)
    .orderBy('version')
    .execute();
  return rows.map((row) => `${row.op} ${row.decision_id}`);
}

describeOnBothDatabases('decisions over HTTP', (open) => {
  test("an analyst's decision is proposed on every gateway, reaches their logs, and shows what each made of it", async () => {
    await using place = await open();
    await using api = await startTestApi(place.url);
    const asked = Date.now();
    const { status, body } = await api.call('operator', 'POST', '/decisions', {
      ...block,
      value: '::ffff:203.0.113.9',
    });
    expect(status).toBe(202);
    const decision = StoredDecision.parse(body);
    expect(decision).toMatchObject({
      origin: 'analyst',
      action: 'block',
      value: '203.0.113.9',
      who: 'operator',
      active: true,
      gateways: [
        { gateway_id: 'edge-1', state: 'proposed' },
        { gateway_id: 'edge-2', state: 'proposed' },
      ],
    });
    expect((Date.parse(decision.expires_at) - asked) / 3_600_000).toBeCloseTo(4, 1);
    expect(await logOf(api, 'edge-1')).toEqual([`add ${decision.id}`]);
    expect(await logOf(api, 'edge-2')).toEqual([`add ${decision.id}`]);

    const {
      active: _active,
      gateways: _gateways,
      made_by_gateway: _made,
      lifted_at: _at,
      lifted_by: _by,
      ...wire
    } = decision;
    await api.ingest('decisions', [decided(wire, 'applied'), decided(wire, 'verified')]);
    expect((await api.get(`/decisions/${decision.id}`)).body.gateways).toMatchObject([
      { gateway_id: 'edge-1', state: 'verified' },
      { gateway_id: 'edge-2', state: 'proposed' },
    ]);

    const lifted = await api.call('operator', 'DELETE', `/decisions/${decision.id}`);
    expect(lifted).toMatchObject({ status: 202, body: { active: false, lifted_by: 'operator' } });
    expect((await api.call('admin', 'DELETE', `/decisions/${decision.id}`)).body.lifted_by, 'repeatable').toBe(
      'operator',
    );
    expect(await logOf(api, 'edge-1')).toEqual([`add ${decision.id}`, `delete ${decision.id}`]);
    await api.ingest('decisions', [decided(wire, 'retracted')]);
    expect((await api.get(`/decisions/${decision.id}`)).body.gateways[0]).toMatchObject({ state: 'retracted' });
    expect((await api.get('/decisions?active=true')).body.items).toEqual([]);
    const { body: log } = await api.get('/prevention/logs');
    expect(log.items.map((entry: { state: string }) => entry.state)).toEqual([
      'retracted',
      'verified',
      'applied',
      'proposed',
      'proposed',
    ]);
  });

  test('a decision is explained by its reason, its rule, its alert and the word of every gateway', async () => {
    await using place = await open();
    await using api = await startTestApi(place.url);
    const alert = sampleAlert();
    const made = sampleDecision({ alert_id: alert.id, rule_id: defaultRules[2]!.id });
    await api.ingest('alerts', [{ kind: 'alert', body: alert }]);
    await api.ingest('decisions', [decided(made, 'verified')]);
    const { status, body } = await api.get(`/decisions/${made.id}/explanation`);
    expect(status).toBe(200);
    const { lines } = DecisionExplanation.parse(body);
    expect(lines).toContain('Why: brute_force_ssh: 2 of 4 windows.');
    expect(lines.join('\n')).toContain(`Alert: ${alert.message}`);
    expect(lines.join('\n')).toContain('Rule: "Stop password guessing" acts when');
    expect(lines.join('\n')).toContain('Kernel: edge-1: verified');
    expect(lines.at(-1)).toContain(`picketctl decisions delete ${made.id}`);
    await api.call('operator', 'DELETE', `/decisions/${made.id}`);
    const lifted = await api.get(`/decisions/${made.id}/explanation`);
    expect(lifted.body.lines.at(-1)).toMatch(/^Ended: lifted .* by operator\.$/);
    expect((await api.get(`/decisions/${alert.id}/explanation`)).status).toBe(404);
  });

  test('a decision that a gateway made by itself is lifted there and nowhere else', async () => {
    await using place = await open();
    await using api = await startTestApi(place.url);
    const decision = sampleDecision();
    await api.ingest('decisions', [decided(decision, 'simulated')], 'edge-2');
    const { body } = await api.call('operator', 'DELETE', '/decisions?value=203.0.113.9');
    expect(body.items).toMatchObject([{ id: decision.id, made_by_gateway: 'edge-2', active: false }]);
    expect(await logOf(api, 'edge-2')).toEqual([`delete ${decision.id}`]);
    expect(await logOf(api, 'edge-1')).toEqual([]);
    expect((await api.call('operator', 'DELETE', '/decisions?value=203.0.113.9')).status).toBe(404);
  });

  test('one that a kernel would not take is held and tried again there: it is active, and lifting it reaches the gateway', async () => {
    await using place = await open();
    await using api = await startTestApi(place.url);
    const decision = sampleDecision();
    await api.ingest('decisions', [decided(decision, 'failed')], 'edge-2');
    expect((await api.get('/decisions?active=true')).body.items).toMatchObject([{ id: decision.id, active: true }]);
    await api.call('operator', 'DELETE', `/decisions/${decision.id}`);
    expect(await logOf(api, 'edge-2')).toEqual([`delete ${decision.id}`]);
  });

  test.for([
    [{ value: 'example.org' }, '/value'],
    [{ scope: 'cidr', value: '10.0.0.0/8' }, '/value'],
    [{ value: '224.0.0.1' }, '/value'],
    [{ duration: undefined }, '/duration'],
    [{ duration: 'forever' }, '/duration'],
    [{ duration: 3_000_000 }, '/duration'],
    [{ action: 'quarantine' }, '/scope'],
    [{ gateways: ['nowhere'] }, '/gateways'],
    [{ alert_id: '019a0000-0000-7000-8000-00000000dead' }, '/alert_id'],
    [{ extra: 1 }, '/extra'],
  ] as const)('%j is refused, naming %s', async ([change, pointer]) => {
    await using place = await open();
    await using api = await startTestApi(place.url);
    const { status, body } = await api.call('operator', 'POST', '/decisions', { ...block, ...change });
    expect(status).toBe(422);
    expect(body.errors).toMatchObject([{ pointer }]);
    expect((await api.get('/decisions')).body.items).toEqual([]);
  });

  test('what the fleet stands on is refused with what it is', async () => {
    await using place = await open();
    await using api = await startTestApi(place.url);
    await api.controller.database.writer
      .updateTable('gateways')
      .set({ link_address: '198.51.100.7' })
      .where('id', '=', 'edge-2')
      .execute();
    const refused = await api.call('operator', 'POST', '/decisions', {
      ...block,
      scope: 'cidr',
      value: '198.51.100.0/24',
    });
    expect(refused).toMatchObject({ status: 409, body: { code: 'conflict' } });
    expect(refused.body.detail).toContain('edge-2');
    const elsewhere = { ...block, scope: 'cidr', value: '198.51.100.0/24', gateways: ['edge-1'] };
    expect((await api.call('operator', 'POST', '/decisions', elsewhere)).status).toBe(202);
  });

  test('lists can be narrowed by state, scope, value, origin, gateway and device', async () => {
    await using place = await open();
    await using api = await startTestApi(place.url);
    const alert = sampleAlert();
    await api.ingest('alerts', [{ kind: 'alert', body: alert }]);
    const ofAlert = sampleDecision({ alert_id: alert.id });
    const ended = sampleDecision({ value: '192.0.2.1', expires_at: '2020-01-01T00:00:00.000Z' });
    await api.ingest('decisions', [decided(ofAlert, 'applied'), decided(ended, 'expired')]);
    const { body: analyst } = await api.call('operator', 'POST', '/decisions', {
      ...block,
      scope: 'port',
      value: 'tcp/23',
      gateways: ['edge-2'],
    });
    const { body: devices } = await api.get('/devices');
    const idsOf = async (query: string): Promise<string[]> =>
      (await api.get(`/decisions?${query}`)).body.items.map((item: { id: string }) => item.id);
    expect((await idsOf('active=true')).toSorted()).toEqual([ofAlert.id, analyst.id as string].toSorted());
    expect(await idsOf('active=false')).toEqual([ended.id]);
    expect(await idsOf('scope=port')).toEqual([analyst.id]);
    expect(await idsOf('value=192.0.2.1')).toEqual([ended.id]);
    expect(await idsOf('origin=analyst')).toEqual([analyst.id]);
    expect((await idsOf('gateway=edge-1')).toSorted()).toEqual([ofAlert.id, ended.id].toSorted());
    expect(await idsOf(`device=${devices.items[0].id}`)).toEqual([ofAlert.id]);
  });

  test("the first API's paths block, list and unblock", async () => {
    await using place = await open();
    await using api = await startTestApi(place.url);
    const ip = await api.call('operator', 'POST', '/network/block-ip', {
      ip: '203.0.113.9',
      duration: 3600,
      reason: 'x',
    });
    expect(ip).toMatchObject({ status: 202, body: { success: true, expires_at: expect.any(String) as string } });
    const port = await api.call('operator', 'POST', '/network/block-port', { port: 23, protocol: 'tcp' });
    expect(port.body).toMatchObject({ target_value: 'tcp/23', action_type: 'block_port' });
    expect((await api.get('/network/actions?active_only=true')).body.items).toHaveLength(2);
    expect((await api.call('operator', 'DELETE', `/network/unblock/${ip.body.action_id}`)).body).toMatchObject({
      success: true,
    });
    expect((await api.get('/network/actions')).body.items).toMatchObject([{ target_value: 'tcp/23' }]);
    expect((await api.call('operator', 'POST', '/network/block-ip', { ip: '127.0.0.1' })).status).toBe(422);
  });

  test('a viewer cannot decide', async () => {
    await using place = await open();
    await using api = await startTestApi(place.url);
    expect((await api.call('viewer', 'POST', '/decisions', block)).status).toBe(403);
    expect((await api.call('viewer', 'POST', '/network/block-ip', { ip: '203.0.113.9' })).status).toBe(403);
    expect((await api.call('viewer', 'DELETE', '/decisions?value=203.0.113.9')).status).toBe(403);
  });

  test('what was kept but never handed on is handed on again', async () => {
    await using place = await open();
    await using api = await startTestApi(place.url);
    const { body } = await api.call('operator', 'POST', '/decisions', { ...block, gateways: ['edge-1'] });
    // As if the controller had been stopped between keeping the decision and handing it on.
    await api.controller.database.writer.deleteFrom('decision_log').execute();
    expect(await api.controller.history.decisions.republish()).toBe(1);
    expect(await api.controller.history.decisions.republish()).toBe(1);
    expect(await logOf(api, 'edge-1')).toEqual([`add ${body.id}`]);
  });
});
