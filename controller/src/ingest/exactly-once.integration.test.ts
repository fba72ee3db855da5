/** Every event is kept once, named as lost, or set aside with its reason: nothing else, and nothing in its way. */
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { describeOnBothDatabases } from '../../../.ci/both-databases.ts';
import type { EventBody } from '@picket/shared/contract/envelope';
import { sampleBatch, sampleCounters, sampleFlow } from '../testing/sample-events.ts';
import { tables } from '../testing/stored-history.ts';
import { edge1, openTestHistory } from '../testing/test-history.ts';

describeOnBothDatabases('exactly once', (open) => {
  test('a batch that comes twice is stored once and acknowledged twice', async () => {
    await using place = await open();
    await using kept = await openTestHistory(place);
    const counters: EventBody[] = [{ kind: 'counters', body: sampleCounters() }];
    await kept.ingest('counters', counters);
    const before = await tables(kept);
    expect(await kept.ingest('counters', counters)).toMatchObject({ upto: 1 });
    expect(await tables(kept)).toEqual(before);
    expect(kept.history.ingested).toMatchObject({ stored: 1, duplicates: 1 });
  });

  test('the same batch on two controllers at the same time is stored once', async () => {
    await using place = await open();
    await using first = await openTestHistory(place);
    await using second = await openTestHistory(place);
    const batch = sampleBatch('counters', [{ kind: 'counters', body: sampleCounters() }]);
    const acks = await Promise.all(
      Array.from({ length: 8 }, (_, index) => (index % 2 === 0 ? first : second).history.ingestBatch(edge1, batch)),
    );
    expect(acks.map((ack) => ack.upto)).toEqual(Array(8).fill(1));
    expect((await tables(first))['counters']).toMatchObject([{ predictions: 20 }]);
  });

  test('a poisoned event is set aside with its reason and does not block the channel', async () => {
    await using place = await open();
    await using kept = await openTestHistory(place);
    const good = sampleBatch(
      'flows',
      [1, 2, 3].map((number) => ({ kind: 'flow' as const, body: sampleFlow(number) })),
    );
    const events = good.events.map((event) => (event.seq === 2 ? { seq: 2, at: 'yesterday', event: 7 } : event));
    expect(await kept.history.ingestBatch(edge1, { ...good, events })).toMatchObject({ upto: 3 });
    expect((await tables(kept))['flows']).toHaveLength(2);
    const rejects = await kept.database.reader.selectFrom('ingest_rejects').selectAll().execute();
    expect(rejects).toMatchObject([{ gateway_id: 'edge-1', channel: 'flows', seq: 2 }]);
    expect(rejects[0]?.reason).not.toBe('');
    expect(rejects[0]?.payload).toContain('yesterday');
  });

  test('an event that fits the schema but not the database is found and set aside; its neighbours are kept', async () => {
    await using place = await open();
    await using kept = await openTestHistory(place);
    // A check of the engine stands for whatever it might refuse one day.
    await sql`${sql.raw(
      kept.database.dialect === 'sqlite'
        ? "create trigger refuse before insert on flows when new.dst_port = 666 begin select raise(abort, 'no'); end"
        : 'alter table flows add constraint refuse check (dst_port <> 666)',
    )}`.execute(kept.database.writer);
    const bodies = Array.from({ length: 9 }, (_, index): EventBody => ({
      kind: 'flow',
      body: sampleFlow(index + 1, { dst_port: index === 6 ? 666 : 22 }),
    }));
    expect(await kept.ingest('flows', bodies)).toMatchObject({ upto: 9 });
    expect((await tables(kept))['flows']).toHaveLength(8);
    expect(await kept.database.reader.selectFrom('ingest_rejects').select('seq').execute()).toEqual([{ seq: 7 }]);
    expect(kept.history.ingested).toMatchObject({ stored: 8, rejected: 1 });
  });

  test('a gap that the gateway names is counted as lost, and the sequence goes on behind it', async () => {
    await using place = await open();
    await using kept = await openTestHistory(place);
    const flow = (number: number): EventBody => ({ kind: 'flow', body: sampleFlow(number) });
    await kept.ingest('flows', [flow(1)]);
    expect(
      await kept.ingest('flows', [{ kind: 'gap', body: { from_seq: 2, to_seq: 41, dropped: 40 } }], 41),
    ).toMatchObject({ upto: 41 });
    expect(await kept.ingest('flows', [flow(42)], 42)).toMatchObject({ upto: 42 });
    expect(await kept.database.reader.selectFrom('ingest_gaps').selectAll().execute()).toMatchObject([
      { from_seq: 2, to_seq: 41, named_by: 'gateway' },
    ]);
    expect(await kept.database.reader.selectFrom('ingest_totals').selectAll().execute()).toMatchObject([
      { gateway_id: 'edge-1', stored: 2, lost: 40 },
    ]);
  });

  test('behind a hole nothing is acknowledged until the hole is filled', async () => {
    await using place = await open();
    await using kept = await openTestHistory(place);
    const flow = (number: number): EventBody => ({ kind: 'flow', body: sampleFlow(number) });
    expect(await kept.ingest('flows', [flow(3), flow(4)], 3)).toMatchObject({ upto: 0 });
    expect((await tables(kept))['flows']).toEqual([]);
    expect(await kept.ingest('flows', [flow(1), flow(2)], 1)).toMatchObject({ upto: 2 });
    expect(await kept.ingest('flows', [flow(3), flow(4)], 3)).toMatchObject({ upto: 4 });
    expect((await tables(kept))['flows']).toHaveLength(4);
    expect(await kept.database.reader.selectFrom('ingest_gaps').selectAll().execute()).toEqual([]);
  });

  test('a hole that a gateway keeps sending past is given up after a while and counted as lost', async () => {
    await using place = await open();
    await using kept = await openTestHistory(place);
    const behind: EventBody[] = [{ kind: 'flow', body: sampleFlow(11) }];
    for (let delivery = 0; delivery < 5; delivery += 1) {
      expect(await kept.ingest('flows', behind, 11), 'so soon it may still be on its way').toMatchObject({ upto: 0 });
    }
    kept.clock.now = new Date(kept.clock.now.getTime() + 61_000);
    expect(await kept.ingest('flows', behind, 11)).toMatchObject({ upto: 11 });
    expect((await tables(kept))['flows']).toHaveLength(1);
    expect(await kept.database.reader.selectFrom('ingest_gaps').selectAll().execute()).toMatchObject([
      { from_seq: 1, to_seq: 10, named_by: 'controller' },
    ]);
    expect(kept.history.ingested.lost).toBe(10);
  });
});
