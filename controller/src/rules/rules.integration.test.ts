import { expect, test } from 'vitest';
import { describeOnBothDatabases } from '../../../.ci/both-databases.ts';
import type { GatewayId } from '@picket/shared/contract/identifiers';
import { StoredRule } from '@picket/shared/contract/stored-rule';
import { defaultRules } from '@picket/shared/policy/default-rules';
import { startTestApi } from '../testing/test-api.ts';

const rules = '/prevention/rules';

describeOnBothDatabases('rules over HTTP', (open) => {
  test('a new controller has the default rules, once and for all', async () => {
    await using place = await open();
    await using api = await startTestApi(place.url);
    const { body } = await api.get(rules);
    expect(body.items.map((rule: unknown) => StoredRule.parse(rule).id).toSorted()).toEqual(
      defaultRules.map((rule) => rule.id),
    );
    expect(await api.controller.history.rules.forPolicy('edge-1' as GatewayId)).toEqual(defaultRules);
    await api.call('admin', 'DELETE', `${rules}/${defaultRules[0]!.id}`, undefined, { 'if-match': '*' });
    await api.controller.database.migrate();
    expect((await api.get(rules)).body.items).toHaveLength(defaultRules.length - 1);
  });

  test('a rule is made, changed upon its ETag, switched and deleted; every change makes a new policy', async () => {
    await using place = await open();
    await using api = await startTestApi(place.url);
    const versionOf = async (): Promise<number> =>
      (
        await api.controller.database.reader
          .selectFrom('gateways')
          .select('policy_version')
          .where('id', '=', 'edge-1')
          .executeTakeFirstOrThrow()
      ).policy_version;
    const start = await versionOf();
    const made = await api.call('admin', 'POST', rules, { name: 'Strict', action: 'block_ip', classes: ['port_scan'] });
    expect(made).toMatchObject({
      status: 201,
      body: { action: 'block', version: 1, updated_by: 'admin', cooldown_seconds: 60 },
    });
    const etag = made.headers.get('etag')!;
    const path = `${rules}/${made.body.id}`;
    expect(await versionOf()).toBe(start + 1);

    const missing = await api.call('admin', 'PUT', path, { threshold: 0.9 });
    expect(missing).toMatchObject({ status: 428, body: { code: 'precondition-required' } });
    const changed = await api.call('admin', 'PUT', path, { threshold: 0.9 }, { 'if-match': etag });
    expect(changed).toMatchObject({ status: 200, body: { threshold: 0.9, classes: ['port_scan'], version: 2 } });
    const late = await api.call('admin', 'PATCH', path, { threshold: 0.1 }, { 'if-match': etag });
    expect(late).toMatchObject({ status: 412, body: { code: 'precondition-failed' } });
    expect((await api.call('admin', 'POST', `${path}/toggle`)).body).toMatchObject({ is_enabled: false, version: 3 });
    const again = await api.call('admin', 'POST', `${path}/toggle`, { is_enabled: false });
    expect(again.body, 'repeatable').toMatchObject({ is_enabled: false, version: 3 });
    expect(await versionOf()).toBe(start + 3);
    expect((await api.call('admin', 'DELETE', path, undefined, { 'if-match': etag })).status).toBe(412);
    const now = (await api.get(path)).headers.get('etag')!;
    expect((await api.call('admin', 'DELETE', path, undefined, { 'if-match': now })).status).toBe(204);
    expect((await api.get(path)).status).toBe(404);
    const audit = await api.controller.database.reader.selectFrom('audit_log').select('what').execute();
    expect(audit.map((entry) => entry.what)).toEqual(
      expect.arrayContaining(['rule.create', 'rule.update', 'rule.delete']),
    );
  });

  test('of two changes made upon the same version at the same time one is kept', async () => {
    await using place = await open();
    await using api = await startTestApi(place.url);
    const { body } = await api.call('admin', 'POST', rules, { name: 'Race', action: 'block' });
    const answers = await Promise.all(
      [0.1, 0.2, 0.3, 0.4].map((threshold) =>
        api.call('admin', 'PUT', `${rules}/${body.id}`, { threshold }, { 'if-match': '"1"' }),
      ),
    );
    expect(answers.map((answer) => String(answer.status)).toSorted()).toEqual(['200', '412', '412', '412']);
  });

  test('what cannot be is refused by name; who may not, cannot', async () => {
    await using place = await open();
    await using api = await startTestApi(place.url);
    const post = (body: object) => api.call('admin', 'POST', rules, { name: 'X', action: 'block', ...body });
    expect((await post({ min_windows: 5, of_windows: 3 })).body.errors).toMatchObject([{ pointer: '/min_windows' }]);
    expect((await post({ duration_seconds: 31 * 86_400 })).body.errors).toMatchObject([
      { pointer: '/duration_seconds' },
    ]);
    expect((await post({ classes: ['benign'] })).status).toBe(422);
    expect((await post({ threshold: 0 })).body.errors).toMatchObject([
      { pointer: '/threshold', detail: expect.stringContaining('at least 0.01') },
    ]);
    expect((await post({ name: defaultRules[0]!.name })).status).toBe(409);
    expect((await api.call('operator', 'POST', rules, { name: 'X', action: 'block' })).status).toBe(403);
    expect((await api.call('operator', 'POST', `${rules}/${defaultRules[0]!.id}/toggle`)).status).toBe(403);
  });

  test('a rule may be for one gateway or one type of device, and each policy carries what concerns it', async () => {
    await using place = await open();
    await using api = await startTestApi(place.url);
    const policyOf = async (gateway: string): Promise<Record<string, readonly string[]>> => {
      const policy = await api.controller.history.rules.forPolicy(gateway as GatewayId);
      return Object.fromEntries(
        policy.filter((rule) => rule.name.startsWith('ours')).map((rule) => [rule.name, rule.devices]),
      );
    };
    const ours = {
      action: 'block',
      device_ladder: ['cut_destination', 'quarantine'],
      escalation: { factor: 2, max_duration_seconds: 86_400, forget_after_seconds: 3600 },
      schedule: { days: ['sat', 'sun'], from: '00:00', until: '00:00', time_zone: 'Europe/Berlin' },
    };
    const here = await api.call('admin', 'POST', rules, { ...ours, name: 'ours: here', gateway_id: 'edge-1' });
    expect(here).toMatchObject({ status: 201, body: { ...ours, gateway_id: 'edge-1' } });
    await api.call('admin', 'POST', rules, { ...ours, name: 'ours: cameras', device_type: 'camera' });
    expect(await policyOf('edge-1')).toEqual({ 'ours: here': [] });
    expect(await policyOf('edge-2')).toEqual({});

    const camera = { name: 'yard', device_type: 'camera', ip_address: '192.168.1.30', gateway_id: 'edge-2' };
    const { body: device } = await api.call('operator', 'POST', '/devices', camera);
    expect(await policyOf('edge-2')).toEqual({ 'ours: cameras': ['192.168.1.30'] });
    const inOrder = await api.controller.history.rules.forPolicy('edge-2' as GatewayId);
    expect(inOrder.map(({ id }) => id).slice(1), 'the narrower one acts where both are met').toEqual(
      defaultRules.map(({ id }) => id),
    );
    await api.call('operator', 'PUT', `/devices/${device.id}`, { device_type: 'sensor' });
    expect(await policyOf('edge-2')).toEqual({});

    const nothing = { gateway_id: null, escalation: null, schedule: null, device_ladder: [] };
    const cleared = await api.call('admin', 'PATCH', `${rules}/${here.body.id}`, nothing, { 'if-match': '*' });
    expect(cleared.body).toMatchObject(nothing);
    for (const refused of [
      { ...ours, schedule: { ...ours.schedule, from: '25:00' } },
      { ...ours, device: '192.168.1.30', device_type: 'camera' },
      { ...ours, device_ladder: ['explode'] },
    ])
      expect((await api.call('admin', 'POST', rules, { ...refused, name: 'no' })).status).toBe(422);
  });
});
