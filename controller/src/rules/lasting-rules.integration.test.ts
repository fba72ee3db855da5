/** A controller that was seeded before the default rules for attacks that go on existed has them after its upgrade. */
import { expect, test } from 'vitest';
import type { GatewayId } from '@picket/shared/contract/identifiers';
import { defaultRules } from '@picket/shared/policy/default-rules';
import { describeOnBothDatabases } from '../../../.ci/both-databases.ts';
import { startTestApi, type TestApi } from '../testing/test-api.ts';
import { undoMigrations } from '../testing/undo-migrations.ts';

const rules = '/prevention/rules';
const lasting = defaultRules.filter(({ threshold }) => threshold !== null);

/** Upgrades, and answers the rules as gateways get them. */
async function upgrade({ controller: { database, history } }: TestApi) {
  await undoMigrations(database, '0010');
  await database.migrate();
  return history.rules.forPolicy('edge-1' as GatewayId);
}

/** Before there were such rules: nobody deleted them. */
async function forget({ controller: { database } }: TestApi): Promise<void> {
  for (const { id } of lasting) await database.writer.deleteFrom('rules').where('id', '=', id).execute();
}

describeOnBothDatabases('the rules for attacks that go on', (open) => {
  test('come with the upgrade, behind those of their class and behind what people wrote', async () => {
    await using place = await open();
    await using api = await startTestApi(place.url);
    await forget(api);
    const ours = await api.call('admin', 'POST', rules, { name: 'ours', action: 'rate_limit' });
    const upgraded = await upgrade(api);
    expect(upgraded.map(({ id }) => id)).toEqual([ours.body.id, ...defaultRules.map(({ id }) => id)]);
    expect(upgraded.slice(1)).toEqual(defaultRules);
  });

  test('added by hand they keep what was written in them, and take their place among the default rules', async () => {
    await using place = await open();
    await using api = await startTestApi(place.url);
    await forget(api);
    for (const { name, action, threshold } of lasting)
      await api.call('admin', 'POST', rules, { name, action, threshold, min_windows: 16, of_windows: 20 });
    const upgraded = await upgrade(api);
    expect(upgraded.map(({ id }) => id)).toEqual(defaultRules.map(({ id }) => id));
    expect(upgraded.filter(({ min_windows: least }) => least === 16)).toHaveLength(2);
  });

  test('added by hand under another name they are there once all the same; what differs is a rule of its own', async () => {
    await using place = await open();
    await using api = await startTestApi(place.url);
    await forget(api);
    const [acting, telling] = lasting.map(({ id: _id, name: _name, devices: _devices, ...content }) => content);
    await api.call('admin', 'POST', rules, { ...acting, name: 'stop what lasts' });
    await api.call('admin', 'POST', rules, { ...telling, name: 'tell of what lasts', of_windows: 18 });
    const upgraded = await upgrade(api);
    expect(upgraded.map(({ name }) => name)).toEqual([
      'tell of what lasts',
      ...defaultRules.map(({ id, name }) => (id === lasting[0]!.id ? 'stop what lasts' : name)),
    ]);
  });

  test('reach gateways wave by wave: until its wave comes each keeps the rules that it has', async () => {
    await using place = await open();
    await using api = await startTestApi(place.url);
    const { database, fleet } = api.controller;
    const rulesOf = (gateway: string) => fleet.rollouts.rulesFor(gateway as GatewayId);
    await forget(api);
    await fleet.twin.refreshAll();
    const before = await rulesOf('edge-1');
    await upgrade(api);
    expect(before).toHaveLength(defaultRules.length - 2);
    for (const gateway of ['edge-1', 'edge-2']) expect(await rulesOf(gateway)).toEqual(before);
    const states = await database.reader.selectFrom('rollouts').select('state').execute();
    expect(states).toEqual([{ state: 'running' }]);
    await upgrade(api);
    expect(await database.reader.selectFrom('rollouts').select('state').execute(), 'nothing to do').toEqual(states);
  });

  test('do not come back to who deleted them, and a new controller has them once', async () => {
    await using place = await open();
    await using api = await startTestApi(place.url);
    expect(await upgrade(api)).toEqual(defaultRules);
    const [gone] = lasting;
    await api.call('admin', 'DELETE', `${rules}/${gone!.id}`, undefined, { 'if-match': '*' });
    expect(await upgrade(api)).toEqual(defaultRules.filter(({ id }) => id !== gone!.id));
  });
});
