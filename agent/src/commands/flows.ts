/**
 * `picket-agent flows FILE`: a capture to flows with their 78 features, on standard output. It imports no schema of the
 * contract: loading those takes longer than metering a hundred thousand packets.
 */
import { Command, InvalidArgumentError, Option } from 'commander';
import type { FeatureProfile } from '@picket/shared/features/feature-profile';
import { PcapFileSource } from '../capture/pcap-file-source.ts';
import type { FlowBatch } from '../features/flow-batch.ts';
import { FlowMeter } from '../features/flow-meter.ts';
import { inlineDeeply, worthInlining } from '../features/inline-deeply.ts';
import { profileSemantics } from '../features/profile-semantics.ts';
import type { FlowEndings } from '../flow/flow-semantics.ts';
import { explainCapture } from './explain-capture.ts';
import { LeftOutLinks } from './left-out-links.ts';
import { OutputLines } from './output-lines.ts';
import { ProgressLine, showsProgress } from './progress-line.ts';
import { StopSignals } from './stop-signals.ts';

interface FlowsOptions {
  readonly profile: FeatureProfile;
  readonly endings: FlowEndings;
  readonly format: 'csv' | 'jsonl' | 'none';
  readonly capacity?: number;
  readonly communityId: boolean;
  readonly progress?: boolean;
}

/** The published meters never give up a flow; this many hold an hour of a busy gateway. */
const referenceCapacity = 1_048_576;
/** What `run` and `replay` have by default, so that the same flows come out; `flows.test.ts` holds it to their plan. */
const liveCapacity = 37_888;
/** Often enough for whoever watches, and too seldom to be felt: after each piece of a pipe it cost a tenth. */
const flushEveryMs = 250;

export function flowsCommand(): Command {
  return new Command('flows')
    .description('turn a capture into flows with 78 features')
    .argument('FILE', 'pcap or pcapng; - reads standard input')
    .addOption(
      new Option('--profile <NAME>', 'what the features mean').choices(Object.keys(profileSemantics)).default('fixed'),
    )
    .addOption(
      new Option('--endings <KIND>', 'reference: end flows as the published meters do; live: as `run` and `replay` do')
        .choices(['reference', 'live'])
        .default('reference'),
    )
    .addOption(new Option('--format <NAME>', 'none: only count').choices(['csv', 'jsonl', 'none']).default('csv'))
    .option(
      '--capacity <N>',
      `most flows open at a time (default: ${referenceCapacity}; live ${liveCapacity}, as run and replay)`,
      toCapacity,
    )
    .option('--community-id', 'name each flow as Zeek and Suricata do: one more column behind the 78', false)
    .option('--progress', 'say on standard error how far it is (default: on a terminal)')
    .option('--no-progress', 'never do')
    .action(flows);
}

async function flows(path: string, options: FlowsOptions): Promise<void> {
  const startedMs = performance.now();
  const stop = new AbortController();
  using signals = StopSignals.watch(() => stop.abort());
  const output = OutputLines.open({ onBlocked: (isBlocked) => signals.stepAside(isBlocked) });
  const capacity = options.capacity ?? (options.endings === 'live' ? liveCapacity : referenceCapacity);
  const writer = await writerOf(options);
  const meter = FlowMeter.create({ profile: options.profile, endings: options.endings, capacity }, (batch) => {
    if (!output.closed.aborted) output.add(writer.linesOf(batch));
    meter.giveBack(batch);
  });
  const leftOut = new LeftOutLinks();
  let failure: unknown;
  try {
    await using source = await PcapFileSource.open(path);
    if ((source.progress.totalBytes ?? Infinity) > worthInlining) inlineDeeply();
    using _progress = progressOf(source, meter, options);
    using _flush = flushRegularly(meter);
    let { header } = writer;
    for await (const chunk of source.chunks(AbortSignal.any([stop.signal, output.closed]))) {
      output.add(header); // not before it is known to be a capture
      header = '';
      leftOut.note(chunk);
      meter.add(chunk);
      await output.drained();
    }
    output.add(header);
  } catch (error) {
    failure = error;
  }
  // What was read before a damaged place, or before a signal, counts.
  signals.stepAside(true);
  meter.finish();
  await output.end();
  if (options.format === 'none') summarise(meter, (performance.now() - startedMs) / 1000);
  warn(meter, leftOut);
  if (failure !== undefined) throw explainCapture(failure);
  signals.setExitCode();
}

/** Whoever writes a pipe may fall silent: what is over by then does not wait until a batch is full. */
function flushRegularly(meter: FlowMeter): Disposable {
  const timer = setInterval(() => meter.flush(), flushEveryMs);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

function progressOf(source: PcapFileSource, meter: FlowMeter, options: FlowsOptions): ProgressLine | undefined {
  if (!showsProgress(options.progress, process.stdout.isTTY && options.format !== 'none')) return undefined;
  return ProgressLine.start(() => {
    const { packets, flows: count } = meter.counters;
    return { ...source.progress, packets, flows: count };
  });
}

interface FlowWriter {
  readonly header: string;
  readonly linesOf: (batch: FlowBatch) => string | Buffer;
}

/** What a format needs is loaded when it is asked for. */
async function writerOf({ format, communityId }: FlowsOptions): Promise<FlowWriter> {
  if (format === 'none') return { header: '', linesOf: () => '' };
  if (format === 'jsonl') {
    const { jsonLines } = await import('./json-lines.ts'); // brings the contract and its schemas
    return { header: '', linesOf: (batch) => jsonLines(batch, communityId) };
  }
  const { csvHeader, CsvLines } = await import('./csv-lines.ts');
  const lines = new CsvLines(communityId);
  return { header: csvHeader(communityId), linesOf: (batch) => lines.of(batch) };
}

function summarise(meter: FlowMeter, seconds: number): void {
  const { packets, flows: count, reports, undecodable, notIp, latePackets, evicted } = meter.counters;
  process.stderr.write(
    `packets ${packets}  flows ${count}  reports ${reports}  seconds ${seconds.toFixed(3)}  ` +
      `packets/s ${Math.round(packets / seconds)}  undecodable ${undecodable}  not IP ${notIp}  late ${latePackets}  evicted ${evicted}\n`,
  );
}

/** What a reader of the flows alone would not notice. */
function warn(meter: FlowMeter, leftOut: LeftOutLinks): void {
  const { evicted, timeSteps, undecodableBy } = meter.counters;
  if (evicted > 0) {
    process.stderr.write(
      `picket-agent: ${evicted} flows were ended early, the table was full: give a larger --capacity\n`,
    );
  }
  if (timeSteps > 0) {
    process.stderr.write(
      `picket-agent: time went back by more than 10 s at ${timeSteps} places, and what was open was ended there: ` +
        'sort the packets by time, for example reordercap FILE SORTED\n',
    );
  }
  if (undecodableBy.unsupportedLink > 0) {
    process.stderr.write(
      `picket-agent: ${undecodableBy.unsupportedLink} packets were left out, their link is not supported: ${leftOut.toString()}. ` +
        'Capture on an Ethernet, cooked, raw IP or loopback interface\n',
    );
  }
}

function toCapacity(text: string): number {
  const capacity = Number(text);
  if (!Number.isInteger(capacity) || capacity < 16 || capacity > 4_000_000) {
    throw new InvalidArgumentError('give a whole number from 16 to 4000000');
  }
  return capacity;
}
