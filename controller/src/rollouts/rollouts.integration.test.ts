/** Rollouts of rules through the API, on both databases; gateways report as agents do. */
import { expect, test, vi } from 'vitest';
import { GatewayId } from '@picket/shared/contract/identifiers';
import { Policy, type ReportedStep } from '@picket/shared/contract/twin';
import { describeOnBothDatabases } from '../../../.ci/both-databases.ts';
import { LiveFeed } from '../live/live-feed.ts';
import { addGateway } from '../testing/enrolled-gateway.ts';
import { startTestApi, type TestApi } from '../testing/test-api.ts';
import { RolloutRepository } from './rollout-repository.ts';
import { RolloutService } from './rollout-service.ts';

const names = ['edge-1', 'edge-2', 'edge-3'] as const;
const signed = expect.any(Number) as number;
const rule = { name: 'Stop scans', classes: ['port_scan'], action: 'block', duration_seconds: 600 };

/** What the policy of this gateway says, and its version. */
async function policyOf(api: TestApi, gateway: string): Promise<{ version: number; rules: string[] }> {
  const row = await api.controller.database.reader
    .selectFrom('gateways')
    .select('policy_jws')
    .where('id', '=', gateway)
    .executeTakeFirstOrThrow();
  const payload = Buffer.from(row.policy_jws?.split('.')[1] ?? '', 'base64url').toString('utf8');
  const { version, rules } = Policy.parse(JSON.parse(payload));
  return { version, rules: rules.map(({ name }) => name) };
}

async function report(api: TestApi, gateway: string, step: ReportedStep, detail: string | null = null): Promise<void> {
  const { version } = await policyOf(api, gateway);
  await api.controller.fleet.gateways.takeReported(GatewayId.parse(gateway), {
    at: new Date().toISOString(),
    policy: { version, step, detail },
    decisions: { version: 0, step: 'verified', detail: null, in_force: 0 },
    mode: 'enforce',
    model_version: 'm1',
    threshold: 0.5,
  });
}

async function startFleet(url: string | undefined): Promise<TestApi> {
  const api = await startTestApi(url);
  const { database, fleet } = api.controller;
  await addGateway(database, 'edge-3');
  await database.writer.updateTable('gateways').set({ protocol: 2, online: 1 }).execute();
  await fleet.twin.refreshAll();
  return api;
}

async function latest(api: TestApi) {
  return (await api.get('/rollouts')).body.items[0];
}
const until = (api: TestApi, expected: object): Promise<void> =>
  vi.waitFor(async () => expect(await latest(api)).toMatchObject(expected), patience);
const rulesOfAll = async (api: TestApi): Promise<string[][]> =>
  Promise.all(names.map(async (name) => (await policyOf(api, name)).rules));

/** What happens at once may take its time on a busy machine. */
const patience = { timeout: 60_000, interval: 50 };
vi.setConfig({ testTimeout: 240_000 });

describeOnBothDatabases('rollouts of rules', (open) => {
  test('canaries first; the next wave comes when they confirmed, and who is away gets it later', async () => {
    await using place = await open();
    await using api = await startFleet(place.url);
    const { database, fleet } = api.controller;
    await database.writer
      .updateTable('gateways')
      .set({ labels: '{"canary":"true"}' })
      .where('id', '=', 'edge-2')
      .execute();
    await database.writer.updateTable('gateways').set({ online: 0 }).where('id', '=', 'edge-3').execute();
    const before = await rulesOfAll(api);
    expect((await api.call('admin', 'POST', '/prevention/rules', rule)).status).toBe(201);
    await until(api, {
      state: 'running',
      wave: 0,
      waiting: 2,
      started_by: 'admin',
      gateways: [{ gateway_id: 'edge-2', state: 'released', version: signed }],
    });
    expect((await rulesOfAll(api)).map((rules) => rules.includes('Stop scans'))).toEqual([false, true, false]);

    await report(api, 'edge-2', 'verified'); // not confirmed yet
    await fleet.twin.refreshAll(); // whatever else makes policies anew gives nobody the rules ahead of time
    expect(await policyOf(api, 'edge-1')).toMatchObject({ rules: before[0] });
    await report(api, 'edge-2', 'confirmed');
    await until(api, {
      state: 'running',
      wave: 1,
      gateways: [{ gateway_id: 'edge-1', state: 'released', version: signed }, { state: 'confirmed' }],
    });
    await report(api, 'edge-1', 'confirmed');
    await until(api, { state: 'completed', waiting: 0 });
    await vi.waitFor(async () => expect((await policyOf(api, 'edge-3')).rules).toContain('Stop scans'), patience);
    expect((await rulesOfAll(api)).map((rules) => rules.includes('Stop scans'))).toEqual([true, true, true]);
    const audited = await database.reader
      .selectFrom('audit_log')
      .select('what')
      .where('what', 'like', 'rollout.%')
      .execute();
    expect(audited.map(({ what }) => what)).toEqual([
      'rollout.begin',
      'rollout.wave',
      'rollout.gateways',
      'rollout.wave',
      'rollout.gateways',
      'rollout.complete',
    ]);
  });

  test('one put-back stops it, and everybody gets back what they had, by itself; fixed rules go out anew', async () => {
    await using place = await open();
    await using api = await startFleet(place.url);
    const heard: unknown[] = [];
    api.controller.feed.subscribe('live', (text) => {
      const event = JSON.parse(text) as { type: string; data: { state: string } };
      if (event.type === 'rollout_changed') heard.push(event.data.state);
      return 'taken';
    });
    const before = await rulesOfAll(api);
    const made = await api.call('admin', 'POST', '/prevention/rules', rule);
    await until(api, { wave: 0, gateways: [{ version: signed }] });
    await report(api, 'edge-1', 'confirmed');
    await until(api, {
      wave: 1,
      gateways: [{ state: 'confirmed' }, { gateway_id: 'edge-2', state: 'released', version: signed }],
    });
    await report(api, 'edge-2', 'rolled_back', 'version 1 holds again: not confirmed within 60 s: broker: no answer');
    await until(api, {
      state: 'rolled_back',
      detail: 'edge-2 put it back',
      waiting: 1,
      gateways: [
        { gateway_id: 'edge-1', state: 'confirmed', reverted_version: signed },
        {
          gateway_id: 'edge-2',
          state: 'rolled_back',
          reverted_version: signed,
          detail: expect.stringMatching(/not confirmed/) as string,
        },
      ],
    });
    expect(await rulesOfAll(api)).toEqual(before);
    expect(heard.at(-1)).toBe('rolled_back');
    await api.controller.fleet.twin.refreshAll(); // nothing gives it to anybody again
    expect(await rulesOfAll(api)).toEqual(before);

    expect((await api.call('admin', 'POST', `/rollouts/${(await latest(api)).id}/abort`)).status).toBe(409);
    await api.call(
      'admin',
      'PATCH',
      `/prevention/rules/${made.body.id}`,
      { name: 'Stop scans gently' },
      { 'if-match': '*' },
    );
    await until(api, { state: 'running', wave: 0, gateways: [{ version: signed }] });
    for (const name of names) {
      await vi.waitFor(async () => expect((await policyOf(api, name)).rules).toContain('Stop scans gently'), patience);
      await report(api, name, 'confirmed');
    }
    await until(api, { state: 'completed' });
  });

  test('whoever makes a policy while another controller changes a rule makes it of the rules of before', async () => {
    await using place = await open();
    await using api = await startFleet(place.url);
    const { fleet, history, database } = api.controller;
    const before = await rulesOfAll(api);
    let isChanged = false;
    const other = new RolloutService({
      rollouts: new RolloutRepository(database),
      // the other controller is done with its change between the two reads that these rules are made of
      rulesFor: async (gateway) => {
        if (!isChanged) {
          isChanged = true;
          await api.call('admin', 'POST', '/prevention/rules', rule);
        }
        return history.rules.forPolicy(gateway);
      },
      refreshPolicy: () => Promise.resolve(),
      audit: api.controller.audit,
      live: new LiveFeed(),
      log: { error: () => {} },
    });
    expect((await other.rulesFor(GatewayId.parse('edge-2'))).map(({ name }) => name)).toEqual(before[1]);
    expect(isChanged).toBe(true);
    await until(api, { wave: 0, gateways: [{ gateway_id: 'edge-1', version: signed }] });
    expect((await history.rules.forPolicy(GatewayId.parse('edge-2'))).map(({ name }) => name)).toContain(rule.name);
    await fleet.twin.refreshAll();
    expect((await rulesOfAll(api))[1]).toEqual(before[1]);
  });

  test('a change of the rules that fails begins no rollout', async () => {
    await using place = await open();
    await using api = await startFleet(place.url);
    expect((await api.call('admin', 'POST', '/prevention/rules', { ...rule, name: 'Stop floods' })).status).toBe(409);
    expect((await api.get('/rollouts')).body.items).toEqual([]);
    await expect(
      api.controller.fleet.twin.changeRules({ username: 'admin', address: null }, async (stage) =>
        api.controller.database.writer.transaction().execute(async (transaction) => {
          await stage(transaction);
          throw new Error('the disk is full');
        }),
      ),
    ).rejects.toThrow('the disk is full');
    expect((await api.get('/rollouts')).body.items).toEqual([]);
  });

  test('a person aborts, a newer change supersedes, and a rollout waits for somebody to be there', async () => {
    await using place = await open();
    await using api = await startFleet(place.url);
    const { database, fleet } = api.controller;
    const before = await rulesOfAll(api);
    await api.call('admin', 'POST', '/prevention/rules', rule);
    await until(api, { wave: 0, gateways: [{ version: signed }] });
    const { id } = await latest(api);
    expect((await api.call('operator', 'POST', `/rollouts/${id}/abort`)).status).toBe(403);
    expect((await api.call('admin', 'POST', `/rollouts/${id}/resume`)).status).toBe(409);
    expect((await api.call('admin', 'POST', `/rollouts/${id}/abort`)).body).toMatchObject({
      state: 'rolled_back',
      detail: 'aborted by admin',
    });
    expect(await rulesOfAll(api)).toEqual(before);

    await database.writer.updateTable('gateways').set({ online: 0 }).execute();
    await api.call('admin', 'POST', '/rollouts');
    await until(api, { state: 'running', wave: null, waiting: 3, gateways: [] });
    await api.call('admin', 'POST', '/rollouts');
    expect((await api.get('/rollouts')).body.items.map((one: { state: string }) => one.state)).toEqual([
      'running',
      'superseded',
      'rolled_back',
    ]);
    await fleet.gateways.takePresence(GatewayId.parse('edge-3'), {
      online: true,
      boot_id: '019a1111-2222-7333-8444-555566667777' as never,
      at: new Date().toISOString(),
      agent_version: '0.1.0',
      protocol: 2,
    });
    await until(api, { wave: 0, gateways: [{ gateway_id: 'edge-3', state: 'released' }] });
  });
});
