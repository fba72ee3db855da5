import { pino } from 'pino';
import { expect, test } from 'vitest';
import { describeOnBothDatabases } from '../../../.ci/both-databases.ts';
import { sampleAlert, sampleCounters, sampleFlow, sampleInstant, samplePrediction } from '../testing/sample-events.ts';
import { openTestHistory } from '../testing/test-history.ts';
import { RetentionRepository } from './retention-repository.ts';
import { RetentionService, defaultRetention } from './retention-service.ts';

const log = pino({ level: 'silent' });

describeOnBothDatabases('retention', (open) => {
  test('what is too old goes, whatever else there is; alerts stay', async () => {
    await using place = await open();
    await using kept = await openTestHistory(place);
    await kept.ingest(
      'flows',
      [1, 2, 3].map((number) => ({ kind: 'flow', body: sampleFlow(number) })),
    );
    await kept.ingest('predictions', [{ kind: 'prediction', body: samplePrediction(1) }]);
    await kept.ingest('counters', [{ kind: 'counters', body: sampleCounters() }]);
    await kept.ingest('alerts', [{ kind: 'alert', body: sampleAlert() }]);
    // Event n was recorded n seconds after the fixed instant: 30 days and 2.5 s later two of three are too old.
    const now = new Date(Date.parse(sampleInstant(2.5)) + 30 * 86_400_000);
    await using retention = new RetentionService(
      new RetentionRepository(kept.database),
      log,
      defaultRetention,
      () => now,
    );
    expect(await retention.cleanUp()).toEqual({ flows: 2, flow_labels: 3, predictions: 1 });
    expect(await retention.cleanUp()).toEqual({});
    const flows = await kept.database.reader.selectFrom('flows').select('recorded_at').execute();
    expect(flows).toEqual([{ recorded_at: sampleInstant(3) }]);
    expect(await kept.database.reader.selectFrom('minute_counters').selectAll().execute()).toHaveLength(1);
    expect(await kept.database.reader.selectFrom('alerts').selectAll().execute()).toHaveLength(1);
  });

  test('beyond the number of rows that may stay the oldest go', async () => {
    await using place = await open();
    await using kept = await openTestHistory(place);
    const numbers = Array.from({ length: 10 }, (_, index) => index + 1);
    await kept.ingest(
      'flows',
      numbers.map((number) => ({ kind: 'flow', body: sampleFlow(number) })),
    );
    const few = { ...defaultRetention, flows: { days: 30, rows: 4 } };
    await using retention = new RetentionService(
      new RetentionRepository(kept.database),
      log,
      few,
      () => kept.clock.now,
    );
    expect(await retention.cleanUp()).toEqual({ flows: 6 });
    const flows = await kept.database.reader.selectFrom('flows').select('recorded_at').orderBy('recorded_at').execute();
    expect(flows.map((flow) => flow.recorded_at)).toEqual([7, 8, 9, 10].map((second) => sampleInstant(second)));
  });
});
