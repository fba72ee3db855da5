/** What needs somebody's eyes stands at the top of the list, also where it was opened long ago. */
import { CompiledQuery, type KyselyPlugin, type RootOperationNode } from 'kysely';
import { expect, test } from 'vitest';
import { describeOnBothDatabases } from '../../../.ci/both-databases.ts';
import type { Alert } from '@picket/shared/contract/alert';
import type { AlertId, GatewayId } from '@picket/shared/contract/identifiers';
import type { Database } from '../database/database.ts';
import { sampleAlert, sampleBatch, sampleInstant } from '../testing/sample-events.ts';
import { startTestApi } from '../testing/test-api.ts';
import { edge1, openTestHistory, type TestHistory } from '../testing/test-history.ts';
import { undoMigrations } from '../testing/undo-migrations.ts';
import type { AlertFilter } from './alert-filter.ts';
import { AlertRepository } from './alert-repository.ts';
import { nextRaisedAt } from './raised-clock.ts';

const actor = { username: 'ada', address: null };
const minute = 60;
const hour = 3600;
const everything = { limit: 100, offset: 0, after: undefined };

/** Reports as one gateway sends them, a batch for each call, which reaches the controller with its last report. */
function reporter({ history, clock }: TestHistory): (...reports: [seconds: number, alert: Alert][]) => Promise<void> {
  let seq = 1;
  return async (...reports) => {
    clock.now = new Date(sampleInstant(Math.max(...reports.map(([seconds]) => seconds))));
    const batch = sampleBatch(
      'alerts',
      reports.map(([, body]) => ({ kind: 'alert', body })),
      seq,
    );
    seq += reports.length;
    await history.ingestBatch(edge1, {
      ...batch,
      events: batch.events.map((event, index) => ({ ...event, at: sampleInstant(reports[index]![0]) })),
    });
  };
}

async function listed({ history }: TestHistory, filter: AlertFilter = {}): Promise<string[]> {
  return (await history.alerts.list(filter, everything)).map(({ item }) => item.message);
}

describeOnBothDatabases('the order of alerts', (open, engine) => {
  test('what came back, became graver, goes on after an hour or is open again stands above what is newer', async () => {
    await using place = await open();
    await using kept = await openTestHistory(place);
    const report = reporter(kept);
    const first = sampleAlert({ message: 'first', severity: 'medium', score: 0.6 });
    await report([0, first], [10, sampleAlert({ message: 'second' })]);
    expect(await listed(kept)).toEqual(['second', 'first']);

    await report([20, { ...first, revision: 1, count: 9 }]);
    expect(await listed(kept), 'counts on').toEqual(['second', 'first']);
    await report([30, { ...first, revision: 2, severity: 'critical', score: 0.95 }]);
    expect(await listed(kept), 'graver').toEqual(['first', 'second']);
    await report([40, sampleAlert({ message: 'third' })]);
    await report([30 * minute, { ...first, revision: 3, severity: 'critical', score: 0.95, returns: 1 }]);
    expect(await listed(kept), 'back').toEqual(['first', 'third', 'second']);

    await report([31 * minute, sampleAlert({ message: 'fourth' })]);
    const again = { ...first, severity: 'critical', score: 0.95, returns: 1 } as const;
    await report([hour, { ...again, revision: 4, count: 50 }]);
    await report([2 * hour, { ...again, revision: 5, count: 50 }]);
    expect(await listed(kept), 'said something else').toEqual(['fourth', 'first', 'third', 'second']);
    await report([2 * hour, { ...again, revision: 6, count: 51 }]);
    expect(await listed(kept), 'goes on').toEqual(['first', 'fourth', 'third', 'second']);

    kept.clock.now = new Date(sampleInstant(3 * hour));
    const third = (await kept.history.alerts.list({}, everything)).find(({ item }) => item.message === 'third')!;
    await kept.history.alerts.resolve(third.item.id, { resolution: 'resolved' }, actor);
    expect((await listed(kept))[0], 'closed').toBe('first');
    await kept.history.alerts.change(third.item.id, { status: 'active' }, actor);
    expect(await listed(kept), 'opened again').toEqual(['third', 'first', 'fourth', 'second']);
  });

  test('what is closed stays where it is until it is open again; one batch or many come to the same', async () => {
    const returned = (alert: Alert, revision: number, returns: number): Alert => ({ ...alert, revision, returns });
    const raisedOf = async (statuses: readonly ('resolved' | 'false_positive')[], together: boolean) => {
      await using place = await open();
      await using kept = await openTestHistory(place);
      const report = reporter(kept);
      const alerts = statuses.map((message) => sampleAlert({ message, severity: 'medium', score: 0.6 }));
      await report(...alerts.map((alert): [number, Alert] => [0, alert]));
      for (const [index, resolution] of statuses.entries())
        await kept.history.alerts.resolve(alerts[index]!.id, { resolution }, actor);
      const grave = { severity: 'high', score: 0.75 } as const;
      const later = alerts.flatMap((alert): [number, Alert][] => [
        [100, { ...returned(alert, 1, 0), ...grave }],
        [200, { ...returned(alert, 2, 1), ...grave }],
        [300, { ...returned(alert, 3, 1), severity: 'critical', score: 0.95 }],
        [310, { ...returned(alert, 4, 1), severity: 'critical', score: 0.95, count: 40 }],
      ]);
      const raised: string[][] = [];
      for (const batch of together ? [later] : later.map((each) => [each])) {
        await report(...batch);
        raised.push((await kept.history.alerts.list({}, everything)).map(({ item }) => item.raised_at));
      }
      return raised;
    };
    const step = [0, 200, 300, 300].map((seconds) => [sampleInstant(seconds)]);
    expect(await raisedOf(['resolved'], false)).toEqual(step);
    expect(await raisedOf(['resolved'], true)).toEqual([[sampleInstant(310)]]);
    expect(await raisedOf(['false_positive'], false)).toEqual(step.map(() => [sampleInstant(0)]));
    expect(await raisedOf(['resolved', 'false_positive'], true)).toEqual([[sampleInstant(310), sampleInstant(0)]]);
  });

  test('whoever reads down to the highest time of before misses nothing, whatever the clocks of gateways say', async () => {
    await using place = await open();
    await using kept = await openTestHistory(place);
    const seqs = new Map<string, number>();
    const report = (gateway: string, at: string, body: Alert): Promise<unknown> => {
      const seq = (seqs.get(gateway) ?? 0) + 1;
      seqs.set(gateway, seq);
      const events = [{ seq, at, event: { kind: 'alert', body } }];
      return kept.history.ingestBatch(gateway as GatewayId, { ...sampleBatch('alerts', []), events });
    };
    let highest = '';
    const poll = async (): Promise<string[]> => {
      const rows = (await kept.history.alerts.list({}, everything)).map(({ item }) => item);
      const news = rows.slice(0, rows.findIndex(({ raised_at: at }) => at <= highest) >>> 0);
      highest = rows[0]!.raised_at;
      return news.map(({ message }) => message);
    };
    const [ahead, late] = [sampleAlert({ message: 'ahead' }), sampleAlert({ message: 'late' })];
    await report('edge-1', '2036-02-07T06:28:16.000Z', ahead);
    expect(await poll()).toEqual(['ahead']);
    await report('edge-2', sampleInstant(-1), late);
    expect(await poll(), 'at the same millisecond of the controller').toEqual(['late']);
    kept.clock.now = new Date(sampleInstant(-60));
    await report('edge-1', sampleInstant(0), { ...ahead, revision: 1, returns: 1 });
    expect(await poll(), 'back, and both clocks were set right').toEqual(['ahead']);
    await report('edge-2', sampleInstant(1), { ...late, revision: 1, count: 9 });
    expect(await poll()).toEqual([]);
    for (const status of ['resolved', 'active'] as const) await kept.history.alerts.change(late.id, { status }, actor);
    expect(await poll(), 'opened again').toEqual(['late']);
  });

  test('a time is given to one at a time, until what it is for can be read', async () => {
    await using place = await open();
    await using kept = await openTestHistory(place);
    const { reader, writer } = kept.database;
    const ended: string[] = [];
    let second: Promise<string> | undefined;
    const now = new Date(sampleInstant(0));
    await writer.transaction().execute(async (first) => {
      ended.push(await nextRaisedAt(first, now));
      second = writer.transaction().execute((transaction) => nextRaisedAt(transaction, now));
      void second.then((at) => ended.push(at));
      for (let turn = 0; turn < 50; turn++) await reader.selectFrom('alerts').select('id').execute();
      expect(ended).toHaveLength(1);
    });
    await second;
    expect(ended).toEqual([now.toISOString(), new Date(now.getTime() + 1).toISOString()]);
  });

  test('a severity that a person set raises nothing, and a clock that was set back lowers nothing', async () => {
    await using place = await open();
    await using kept = await openTestHistory(place);
    const report = reporter(kept);
    const alert = sampleAlert({ message: 'first', severity: 'medium', score: 0.6 });
    await report([0, alert], [10, sampleAlert({ message: 'second' })]);
    await kept.history.alerts.change(alert.id, { severity: 'low' }, actor);
    await report([20, { ...alert, revision: 1, severity: 'critical', score: 0.95 }]);
    expect(await listed(kept)).toEqual(['second', 'first']);
    await report([30, { ...alert, revision: 2, returns: 1 }]);
    await report([5, { ...alert, revision: 3, returns: 2 }]);
    expect(await listed(kept)).toEqual(['first', 'second']);
  });

  test('who follows the cursor sees every alert once while others come back, and these at the top afterwards', async () => {
    await using place = await open();
    await using api = await startTestApi(place.url);
    const alerts = Array.from({ length: 8 }, (_, index) => sampleAlert({ message: `alert ${index}` }));
    for (const body of alerts) await api.ingest('alerts', [{ kind: 'alert', body }]);
    const pageAfter = async (cursor: string): Promise<[ids: AlertId[], next: string]> => {
      const { body } = await api.get(`/alerts?limit=3${cursor}`);
      return [body.items.map(({ id }: Alert) => id), `&cursor=${body.next_cursor}`];
    };
    const wanted = alerts.map(({ id }) => id).toReversed();
    const [first, afterFirst] = await pageAfter('');
    const back = [alerts[5]!, alerts[1]!]; // one that was shown, one that was not
    for (const alert of back)
      await api.ingest('alerts', [{ kind: 'alert', body: { ...alert, revision: 1, returns: 1 } }]);
    const [second, afterSecond] = await pageAfter(afterFirst);
    const [third] = await pageAfter(afterSecond);
    const shown = [...first, ...second, ...third];
    expect(shown).toEqual(wanted.filter((id) => id !== alerts[1]!.id));
    const [top] = await pageAfter('');
    expect(top.slice(0, 2)).toEqual([alerts[1]!.id, alerts[5]!.id]);
    const { body } = await api.get('/alerts?limit=1');
    expect(Date.parse(body.items[0].raised_at)).toBeGreaterThan(Date.parse(body.items[0].created_at));
  });

  test('pages are read from an index, of all alerts and of those with one status', async () => {
    await using place = await open();
    await using kept = await openTestHistory(place);
    for (const [filter, index] of [
      [{}, 'alerts_raised'],
      [{ status: 'active' }, 'alerts_status_raised'],
    ] as const) {
      const plan = await planOf(kept.database, engine, filter);
      expect(plan).toContain(` ${index}`);
      expect(plan).not.toMatch(/sort|temp b-tree/i);
    }
  });

  test('an upgrade puts what came back in its place', async () => {
    await using place = await open();
    await using api = await startTestApi(place.url);
    const old = sampleAlert({ message: 'came back' });
    const closed = sampleAlert({ message: 'a false alarm' });
    for (const body of [old, closed, sampleAlert({ message: 'newer' })])
      await api.ingest('alerts', [{ kind: 'alert', body }]);
    await api.call('operator', 'POST', `/alerts/${closed.id}/resolve`, { resolution: 'false_positive' });
    for (const body of [old, closed])
      await api.ingest('alerts', [{ kind: 'alert', body: { ...body, revision: 1, returns: 1 } }]);
    const { database } = api.controller;
    await undoMigrations(database, '0013');
    const ahead = '2099-01-01T00:00:00.000Z';
    await database.writer.updateTable('alerts').set({ recorded_at: ahead }).where('id', '=', old.id).execute();
    await database.migrate();
    const { body } = await api.get('/alerts');
    expect(body.items.map(({ message }: Alert) => message)).toEqual(['came back', 'newer', 'a false alarm']);
    expect(Date.parse(body.items[0].raised_at), 'of a clock that is ahead').toBeLessThanOrEqual(Date.now());
    await api.ingest('alerts', [{ kind: 'alert', body: sampleAlert({ message: 'after it' }) }]);
    expect((await api.get('/alerts?limit=1')).body.items[0].message).toBe('after it');
  });
});

/** How the engine reads a page that begins after a key, where it could do without an index only by sorting. */
async function planOf(database: Database, engine: 'sqlite' | 'postgres', filter: AlertFilter): Promise<string> {
  const asked: RootOperationNode[] = [];
  const noting: KyselyPlugin = {
    transformQuery: ({ node }) => {
      asked.push(node);
      return node;
    },
    transformResult: async ({ result }) => result,
  };
  const reader = database.reader.withPlugin(noting);
  const page = { limit: 10, offset: 0, after: [sampleInstant(0), 'id'] };
  await new AlertRepository({ reader, writer: database.writer }).list(filter, page);
  const compiler = database.reader.getExecutor();
  const { sql, parameters } = compiler.compileQuery(asked[0]!, { queryId: 'plan' });
  return database.writer.transaction().execute(async (transaction) => {
    if (engine === 'postgres') {
      await transaction.executeQuery(CompiledQuery.raw('set local enable_seqscan = off'));
      await transaction.executeQuery(CompiledQuery.raw('set local enable_bitmapscan = off'));
    }
    const verb = engine === 'postgres' ? 'explain' : 'explain query plan';
    const { rows } = await transaction.executeQuery(CompiledQuery.raw(`${verb} ${sql}`, [...parameters]));
    return JSON.stringify(rows);
  });
}
