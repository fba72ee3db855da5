/** The tables do not tell in which order, or how often, batches came. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { describeOnBothDatabases } from '../../../.ci/both-databases.ts';
import type { EventBody } from '@picket/shared/contract/envelope';
import type { AlertId, DecisionId, PredictionId } from '@picket/shared/contract/identifiers';
import type { EventChannel } from '@picket/shared/contract/topics';
import {
  decided,
  sampleAlert,
  sampleBatch,
  sampleCounters,
  sampleDecision,
  sampleFlow,
  sampleInstant,
  samplePrediction,
} from '../testing/sample-events.ts';
import { tables } from '../testing/stored-history.ts';
import { edge1, openTestHistory } from '../testing/test-history.ts';
import type { RawBatch } from './event-ingest.ts';

const uuid = (number: number): string => `019a0000-0000-7000-9000-${String(number).padStart(12, '0')}`;

describeOnBothDatabases('ingestion in any order', (open) => {
  test('whatever the order of batches, and however often each comes, the tables are the same in the end', async () => {
    await using place = await open();
    const batches = scenario();
    await using reference = await openTestHistory(place);
    for (const batch of batches) await reference.history.ingestBatch(edge1, batch);
    const expected = await tables(reference);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(batches.length - 1), { maxLength: 40 }), async (order) => {
        await using other = await open();
        await using kept = await openTestHistory(other);
        for (const index of order) await kept.history.ingestBatch(edge1, batches[index]!);
        // What was refused behind a hole is sent again, as an agent does.
        for (const batch of batches) await kept.history.ingestBatch(edge1, batch);
        expect(await tables(kept)).toEqual(expected);
      }),
      { numRuns: 6 },
    );
  }, 120_000);
});

/** Batches of several channels that touch the same rows, each channel in pieces. */
function scenario(): RawBatch[] {
  const address = (number: number) => ({ address: `192.168.1.${20 + (number % 3)}`, mac: null });
  const pieces = (channel: EventChannel, bodies: EventBody[], size: number): RawBatch[] =>
    Array.from({ length: Math.ceil(bodies.length / size) }, (_, index) =>
      sampleBatch(channel, bodies.slice(index * size, (index + 1) * size), 1 + index * size),
    );
  const flows = Array.from({ length: 12 }, (_, index): EventBody => ({
    kind: 'flow',
    body: sampleFlow(index % 5, { report_number: (index * 7) % 4, fwd_packets: index, device: address(index % 5) }),
  }));
  const predictions = Array.from({ length: 6 }, (_, index): EventBody => ({
    kind: 'prediction',
    body: samplePrediction(index, {
      id: uuid(index) as PredictionId,
      score: 0.6 + (index % 3) / 10,
      device: address(index),
    }),
  }));
  const alerts = Array.from({ length: 6 }, (_, index): EventBody => ({
    kind: 'alert',
    body: sampleAlert({
      id: uuid(100 + (index % 2)) as AlertId,
      prediction_id: uuid(0) as PredictionId,
      revision: index,
      count: index + 1,
      device: address(index % 2),
    }),
  }));
  const decision = sampleDecision({ id: uuid(200) as DecisionId });
  const decisions = (['proposed', 'applied', 'verified', 'expired'] as const).map((state) => decided(decision, state));
  const counters = Array.from({ length: 6 }, (_, index): EventBody => ({
    kind: 'counters',
    body: sampleCounters({ minute: sampleInstant((index % 2) * 60), packets: index, device: address(0) }),
  }));
  return [
    ...pieces('flows', flows, 4),
    ...pieces('predictions', predictions, 2),
    ...pieces('alerts', alerts, 2),
    ...pieces('decisions', decisions, 2),
    ...pieces('counters', counters, 3),
  ];
}
