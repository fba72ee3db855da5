/**
 * Events per second that the controller stores, from the batch as parsed JSON to the commit: flows, predictions and
 * counters as an agent sends them in an episode. On SQLite in a temporary folder, or with --url on an empty PostgreSQL
 * database. JSON on stdout.
 * usage: ingest.ts [--url postgres://…] [--events 50000] [--gateways 4]
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { EventBody } from '../shared/src/contract/envelope.ts';
import type { GatewayId } from '../shared/src/contract/identifiers.ts';
import type { EventChannel } from '../shared/src/contract/topics.ts';
import {
  sampleBatch,
  sampleCounters,
  sampleFlow,
  sampleInstant,
  samplePrediction,
} from '../controller/src/testing/sample-events.ts';
import { openTestHistory } from '../controller/src/testing/test-history.ts';

const { values } = parseArgs({
  options: {
    url: { type: 'string' },
    events: { type: 'string', default: '50000' },
    gateways: { type: 'string', default: '4' },
  },
});
const gateways = Number(values.gateways);
const batchSize = 250; // what fits into one message of the link
const rounds = Math.ceil(Number(values.events) / (gateways * batchSize));

const device = (index: number) => ({ address: `192.168.1.${10 + (index % 50)}`, mac: null });
/** 60 % flows (one in four a repeated report), 36 % predictions, 4 % counters. */
const shares: readonly (readonly [EventChannel, number, (index: number) => EventBody])[] = [
  [
    'flows',
    150,
    (index) => ({
      kind: 'flow',
      body: sampleFlow(index - (index % 4 === 0 ? 1 : 0), {
        report_number: index % 4 === 0 ? 1 : 0,
        device: device(index),
      }),
    }),
  ],
  ['predictions', 90, (index) => ({ kind: 'prediction', body: samplePrediction(index, { device: device(index) }) })],
  [
    'counters',
    10,
    (index) => ({
      kind: 'counters',
      body: sampleCounters({ device: device(index), minute: sampleInstant(60 * Math.floor(index / 50)) }),
    }),
  ],
];

const folder = await mkdtemp(join(tmpdir(), 'picket-bench-'));
try {
  await using kept = await openTestHistory({ url: values.url, file: join(folder, 'picket.db') });
  const before = kept.history.ingested.stored;
  let seconds = 0;
  let cpuMicroseconds = 0;
  let batches = 0;
  for (let round = 0; round < rounds; round += 1) {
    // Made outside the clock: an agent makes them elsewhere. Through JSON, as they come.
    const sent = Array.from({ length: gateways }, (_, gateway) =>
      shares.map(([channel, size, body]) => {
        const from = round * size + 1;
        const bodies = Array.from({ length: size }, (_event, index) => body(from + index));
        const text = JSON.stringify(sampleBatch(channel, bodies, from));
        return { gateway: `edge-${gateway}` as GatewayId, text };
      }),
    );
    const startedAt = performance.now();
    const cpuBefore = process.cpuUsage();
    await Promise.all(
      sent.map(async (ofGateway) => {
        for (const { gateway, text } of ofGateway) {
          await kept.history.ingestBatch(gateway, JSON.parse(text) as ReturnType<typeof sampleBatch>);
          batches += 1;
        }
      }),
    );
    seconds += (performance.now() - startedAt) / 1000;
    const { user, system } = process.cpuUsage(cpuBefore);
    cpuMicroseconds += user + system;
  }
  const stored = kept.history.ingested.stored - before;
  const { rejected, lost } = kept.history.ingested;
  if (rejected + lost > 0)
    throw new Error(`${rejected} events rejected, ${lost} lost: the figure would be worth nothing`);
  console.log(
    JSON.stringify(
      {
        database: kept.database.dialect,
        events: stored,
        batches,
        gateways,
        seconds: Number(seconds.toFixed(2)),
        cpu_seconds: Number((cpuMicroseconds / 1e6).toFixed(2)),
        events_per_second: Math.round(stored / seconds),
        rss_mib: Math.round(process.memoryUsage.rss() / 2 ** 20),
        load: loadavg()[0],
      },
      null,
      2,
    ),
  );
} finally {
  await rm(folder, { recursive: true, force: true });
}
