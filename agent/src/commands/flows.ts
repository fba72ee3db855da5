/** `picket-agent flows FILE`: a capture to flows with their 78 features, on standard output. */
import { once } from 'node:events';
import { Command, InvalidArgumentError, Option } from 'commander';
import { FeatureProfile } from '@picket/shared/features/feature-profile';
import { CaptureError } from '../capture/capture-error.ts';
import { PcapFileSource } from '../capture/pcap-file-source.ts';
import { AgentError } from '../errors.ts';
import type { FlowBatch } from '../features/flow-batch.ts';
import { FlowMeter } from '../features/flow-meter.ts';
import type { FlowEndings } from '../flow/flow-semantics.ts';
import { csvHeader, csvLines, jsonLines } from './format-flows.ts';

interface FlowsOptions {
  readonly profile: FeatureProfile;
  readonly endings: FlowEndings;
  readonly format: 'csv' | 'jsonl' | 'none';
  readonly capacity?: number;
  readonly communityId: boolean;
}

/** The published meters never give up a flow; this many hold an hour of a busy gateway. */
const referenceCapacity = 1_048_576;
const liveCapacity = 65_536;

export function flowsCommand(): Command {
  return new Command('flows')
    .description('turn a capture into flows with 78 features')
    .argument('FILE', 'pcap or pcapng; - reads standard input')
    .addOption(
      new Option('--profile <NAME>', 'what the features mean').choices(FeatureProfile.options).default('fixed'),
    )
    .addOption(
      new Option('--endings <KIND>', 'reference: end flows as the published meters do; live: as `run` and `replay` do')
        .choices(['reference', 'live'])
        .default('reference'),
    )
    .addOption(new Option('--format <NAME>', 'none: only count').choices(['csv', 'jsonl', 'none']).default('csv'))
    .option(
      '--capacity <N>',
      `most flows open at a time (default: ${referenceCapacity}, live ${liveCapacity})`,
      toCapacity,
    )
    .option('--community-id', 'name each flow as Zeek and Suricata do: one more column behind the 78', false)
    .action(flows);
}

async function flows(path: string, options: FlowsOptions): Promise<void> {
  const startedMs = performance.now();
  const written = new AbortController();
  const output = new OutputLines(written);
  const capacity = options.capacity ?? (options.endings === 'live' ? liveCapacity : referenceCapacity);
  const meter = FlowMeter.create({ profile: options.profile, endings: options.endings, capacity }, (batch) => {
    if (options.format !== 'none') output.add(linesOf(batch, options));
  });
  let failure: unknown;
  try {
    await using source = await PcapFileSource.open(path);
    let header = options.format === 'csv' ? csvHeader(options.communityId) : '';
    for await (const chunk of source.chunks(written.signal)) {
      if (header !== '') output.add(header); // not before it is known to be a capture
      header = '';
      meter.add(chunk);
      await output.drained();
    }
    output.add(header);
  } catch (error) {
    failure = error;
  }
  // What was read before a damaged place counts.
  meter.finish();
  await output.end();
  if (options.format === 'none') summarise(meter, (performance.now() - startedMs) / 1000);
  warn(meter);
  if (failure !== undefined) throw explain(failure);
}

function linesOf(batch: FlowBatch, { format, communityId }: FlowsOptions): string {
  return format === 'csv' ? csvLines(batch, communityId) : jsonLines(batch, communityId);
}

/** Standard output with back-pressure. A reader that went away ends the work quietly. */
class OutputLines {
  readonly #closed: AbortController;

  constructor(closed: AbortController) {
    this.#closed = closed;
    process.stdout.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      closed.abort();
    });
  }

  add(text: string): void {
    if (text !== '' && !this.#closed.signal.aborted) process.stdout.write(text);
  }

  async drained(): Promise<void> {
    if (!process.stdout.writableNeedDrain || this.#closed.signal.aborted) return;
    await once(process.stdout, 'drain', { signal: this.#closed.signal }).catch(() => undefined);
  }

  /** Everything is with the reader, or the reader is gone. */
  async end(): Promise<void> {
    await new Promise<void>((resolve) => {
      if (this.#closed.signal.aborted) resolve();
      else process.stdout.write('', () => resolve());
    });
  }
}

function summarise(meter: FlowMeter, seconds: number): void {
  const { packets, flows: count, reports, undecodable, notIp, evicted } = meter.counters;
  process.stderr.write(
    `packets ${packets}  flows ${count}  reports ${reports}  seconds ${seconds.toFixed(3)}  ` +
      `packets/s ${Math.round(packets / seconds)}  undecodable ${undecodable}  not IP ${notIp}  evicted ${evicted}\n`,
  );
}

/** What a reader of the flows alone would not notice. */
function warn(meter: FlowMeter): void {
  const { evicted, undecodableBy } = meter.counters;
  if (evicted > 0) {
    process.stderr.write(
      `picket-agent: ${evicted} flows were ended early, the table was full: give a larger --capacity\n`,
    );
  }
  if (undecodableBy.unsupportedLink > 0) {
    process.stderr.write(
      `picket-agent: ${undecodableBy.unsupportedLink} packets were left out, their link layer is not supported: ` +
        'capture on an Ethernet, cooked, raw IP or loopback interface\n',
    );
  }
}

function toCapacity(text: string): number {
  const capacity = Number(text);
  if (!Number.isInteger(capacity) || capacity < 16 || capacity > 4_194_304) {
    throw new InvalidArgumentError('give a whole number from 16 to 4194304');
  }
  return capacity;
}

function explain(error: unknown): unknown {
  if (!(error instanceof CaptureError)) return error;
  const options = { cause: error };
  if (error.code === 'not-found') return new AgentError('no-input', error.message, options);
  if (error.code === 'not-permitted') return new AgentError('no-permission', error.message, options);
  return new AgentError('bad-data', error.message, options);
}
