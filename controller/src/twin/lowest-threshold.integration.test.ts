/** Thresholds that were stored before there was a lowest one: nothing of them reaches a gateway, which would refuse it all. */
import { expect, test } from 'vitest';
import { GatewayId } from '@picket/shared/contract/identifiers';
import { SetThreshold } from '@picket/shared/contract/rule';
import { Policy } from '@picket/shared/contract/twin';
import { describeOnBothDatabases } from '../../../.ci/both-databases.ts';
import { startTestApi, type TestApi } from '../testing/test-api.ts';
import { undoMigrations } from '../testing/undo-migrations.ts';

/** As an early build left them. */
async function storeLowThresholds({ controller: { database } }: TestApi): Promise<void> {
  await database.writer.updateTable('rules').set({ threshold: 0 }).where('name', '=', 'Stop floods').execute();
  await database.writer.updateTable('gateways').set({ threshold: 0.005 }).where('id', '=', 'edge-1').execute();
}

async function thresholdsOfPolicy({ controller: { database } }: TestApi): Promise<readonly (number | null)[]> {
  const { policy_jws: jws } = await database.reader
    .selectFrom('gateways')
    .select('policy_jws')
    .where('id', '=', 'edge-1')
    .executeTakeFirstOrThrow();
  const policy = Policy.parse(JSON.parse(Buffer.from(jws?.split('.')[1] ?? '', 'base64url').toString('utf8')));
  return [policy.threshold, ...policy.rules.map(({ threshold }) => threshold)];
}

describeOnBothDatabases('thresholds below the lowest', (open) => {
  test('are raised where they are stored, and their readers notice', async () => {
    await using place = await open();
    await using api = await startTestApi(place.url);
    const { database } = api.controller;
    const before = await database.reader.selectFrom('rules').selectAll().orderBy('id').execute();
    await storeLowThresholds(api);
    await undoMigrations(database, '0009');
    await database.migrate();
    const rules = await database.reader.selectFrom('rules').selectAll().orderBy('id').execute();
    expect(rules).toEqual(
      before.map((rule) =>
        rule.name === 'Stop floods' ? { ...rule, threshold: 0.01, version: rule.version + 1 } : rule,
      ),
    );
    expect((await api.get('/gateways/edge-1')).body.threshold).toBe(0.01);
    expect((await api.get('/gateways/edge-2')).body.threshold).toBeNull();
  });

  test('reach no gateway, wherever they come from', async () => {
    await using place = await open();
    await using api = await startTestApi(place.url);
    await storeLowThresholds(api);
    await api.controller.fleet.twin.refreshPolicy(GatewayId.parse('edge-1'));
    const thresholds = await thresholdsOfPolicy(api);
    expect(thresholds.filter((threshold) => threshold !== null && threshold < 0.1)).toEqual([0.01, 0.01]);
    for (const threshold of thresholds) SetThreshold.nullable().parse(threshold);
  });
});
