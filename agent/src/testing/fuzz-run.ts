/**
 * Hostile input by the million: cases of damaged packets and damaged files, each through the real stages and past every
 * oracle. A case depends on the seed and its own number alone, so that one case can be run again.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { captureCorpus, type Corpus } from './capture-corpus.ts';
import { mutateCapture } from './capture-mutator.ts';
import { type CaptureReading, readCapture } from './capture-oracle.ts';
import { expectedOfPcap, formatOf, recordsOf } from './capture-records.ts';
import { checkDecoding } from './decode-oracle.ts';
import { MeterOracle, meterKinds } from './meter-oracle.ts';
import { Digest, holds, OracleFailure } from './oracle.ts';
import { chunkOf, type TimedFrame } from './packet-builder.ts';
import { mutateConversation } from './packet-mutator.ts';
import { SeededRandom } from './seeded-random.ts';

export type CaseKind = 'packets' | 'file';

export interface FuzzOptions {
  readonly seed: number;
  /** Mutated packets to reach; 0: none. */
  readonly packets: number;
  /** Mutated files to reach. */
  readonly files: number;
  /** Stop earlier after so many ms. */
  readonly budgetMs?: number;
  /** Run this case alone. */
  readonly only?: { readonly kind: CaseKind; readonly index: number };
}

export interface FuzzFailure {
  /** For `--case`: its kind and number. */
  readonly case: string;
  readonly oracle: string;
  readonly message: string;
}

export interface FuzzReport {
  readonly seed: number;
  /** Cases of packets that were run, the frames in them, and those of the frames that were damaged. */
  readonly conversations: number;
  readonly frames: number;
  readonly packets: number;
  readonly files: number;
  readonly fileRows: number;
  /** Decoded, not IP, truncated, malformed, unsupported link. */
  readonly outcomes: readonly number[];
  /** How damaged files ended, by code of the error. */
  readonly errors: Readonly<Record<string, number>>;
  readonly slowestCaseMs: number;
  readonly slowestCase: string;
  /** Heap and buffers after the run over those after its first tenth, bytes. */
  readonly grownBytes: number;
  /** Equal for runs of the same seed and size. */
  readonly digest: number;
  readonly failures: readonly FuzzFailure[];
}

const framesPerCase = 200;
const maxFailures = 20;
/** Generous, for a busy machine: such a case takes milliseconds. */
export const caseDeadlineMs = 20_000;
const mayGrowBytes = 24 * 1_048_576;

export class FuzzRun {
  readonly #options: FuzzOptions;
  readonly #corpus: Corpus = captureCorpus();
  readonly #digest = new Digest();
  readonly #outcomes = [0, 0, 0, 0, 0];
  readonly #errors: Record<string, number> = {};
  readonly #failures: FuzzFailure[] = [];
  #conversations = 0;
  #frames = 0;
  #packets = 0;
  #files = 0;
  #fileRows = 0;
  #slowestCaseMs = 0;
  #slowestCase = '';

  constructor(options: FuzzOptions) {
    this.#options = options;
  }

  /** `onCase` hears of every case before it is run. */
  run(onCase: (name: string, done: () => FuzzReport) => void = () => undefined): FuzzReport {
    const { only, budgetMs = Infinity } = this.#options;
    const startedMs = performance.now();
    let settledBytes: number | undefined;
    const next = (kind: CaseKind, index: number): void => {
      onCase(`${kind}:${index}`, () => this.#report(0));
      this.#runCase(kind, index);
    };
    if (only !== undefined) {
      next(only.kind, only.index);
      return this.#report(0);
    }
    while (this.#share() < 1) {
      if (performance.now() - startedMs > budgetMs || this.#failures.length >= maxFailures) break;
      if (this.#isBehind('packets')) next('packets', this.#conversations);
      else next('file', this.#files);
      if (settledBytes === undefined && Math.max(this.#share(), (performance.now() - startedMs) / budgetMs) > 0.1) {
        settledBytes = heldBytes();
      }
    }
    const grownBytes = settledBytes === undefined ? 0 : Math.max(0, heldBytes() - settledBytes);
    if (grownBytes > mayGrowBytes) this.#fail('run', 'memory-bounded', `grew by ${grownBytes} bytes`);
    return this.#report(grownBytes);
  }

  /** Of the whole, 0 to 1. */
  #share(): number {
    const { packets, files } = this.#options;
    return Math.min(packets === 0 ? 1 : this.#packets / packets, files === 0 ? 1 : this.#files / files);
  }

  #isBehind(kind: 'packets'): boolean {
    const { packets, files } = this.#options;
    if (packets === 0 || (files > 0 && this.#packets >= packets)) return kind !== 'packets';
    return files === 0 || this.#packets / packets <= this.#files / files;
  }

  #runCase(kind: CaseKind, index: number): void {
    const startedMs = performance.now();
    const random = new SeededRandom(this.#options.seed, index * 2 + (kind === 'file' ? 1 : 0));
    const name = `${kind}:${index}`;
    try {
      if (kind === 'packets') this.#packetCase(random);
      else this.#fileCase(random);
    } catch (error) {
      const oracle = error instanceof OracleFailure ? error.oracle : 'no-throw';
      this.#fail(
        name,
        oracle,
        error instanceof OracleFailure ? error.message : String((error as Error).stack ?? error),
      );
    }
    const tookMs = performance.now() - startedMs;
    if (tookMs > caseDeadlineMs) this.#fail(name, 'time-bounded', `took ${Math.round(tookMs)} ms`);
    if (tookMs <= this.#slowestCaseMs) return;
    this.#slowestCaseMs = tookMs;
    this.#slowestCase = name;
  }

  #fail(name: string, oracle: string, message: string): void {
    this.#failures.push({ case: name, oracle, message: message.slice(0, 1500) });
  }

  #packetCase(random: SeededRandom): void {
    this.#conversations++;
    const sound = random.pick(this.#corpus.conversations);
    const { frames, mutated } = mutateConversation(sound, random, framesPerCase);
    this.#packets += mutated;
    this.#frames += frames.length;
    const seen = this.#decodeAll(frames);
    const capacity = random.pick([16, 40, 300]);
    for (const kind of meterKinds) this.#digest.add(digestOf(new MeterOracle(kind, capacity), [frames], seen));
    const kind = random.pick(meterKinds);
    const whole = digestOf(new MeterOracle(kind, capacity), [frames], seen);
    const pieces = digestOf(new MeterOracle(kind, capacity), inPieces(frames, random), seen);
    holds('chunks-do-not-matter', whole === pieces, () => `${kind.profile} ${kind.endings}, capacity ${capacity}`);
  }

  #decodeAll(frames: readonly TimedFrame[]): number[] {
    const seen = [0, 0, 0, 0, 0];
    for (const frame of frames) {
      const result = checkDecoding(frame);
      seen[result]!++;
      this.#outcomes[result]!++;
      this.#digest.add(result);
    }
    return seen;
  }

  #fileCase(random: SeededRandom): void {
    this.#files++;
    const { files } = this.#corpus;
    const sound = random.pick(files).bytes;
    const isCut = random.chance(0.2);
    const bytes = isCut
      ? sound.slice(0, random.below(sound.length + 1))
      : mutateCapture(sound, random, random.pick(files).bytes);
    const meter = new MeterOracle(random.pick(meterKinds), random.pick([16, 300]));
    const seen = [0, 0, 0, 0, 0];
    const one = readCapture(bytes, random, (chunk) => {
      for (const [index, count] of this.#decodeAll(framesOf(chunk)).entries()) seen[index]! += count;
      meter.add(chunk);
    });
    meter.finish(seen);
    this.#fileRows += one.rows;
    const ended = one.error?.code ?? 'sound';
    this.#errors[ended] = (this.#errors[ended] ?? 0) + 1;
    this.#digest.add(one.digest);
    this.#digest.add(meter.digest);
    const other = readCapture(bytes, random);
    const text = (): string => `${one.rows} / ${other.rows} rows, ${one.error?.message} / ${other.error?.message}`;
    holds('pieces-do-not-matter', one.digest === other.digest && one.error?.message === other.error?.message, text);
    if (formatOf(bytes) === 'pcap') checkPcap(bytes, one);
    if (isCut) checkCut(sound, bytes.length, one, meter, random);
  }

  #report(grownBytes: number): FuzzReport {
    return {
      seed: this.#options.seed,
      conversations: this.#conversations,
      frames: this.#frames,
      packets: this.#packets,
      files: this.#files,
      fileRows: this.#fileRows,
      outcomes: [...this.#outcomes],
      errors: { ...this.#errors },
      slowestCaseMs: Math.round(this.#slowestCaseMs),
      slowestCase: this.#slowestCase,
      grownBytes,
      digest: this.#digest.value,
      failures: [...this.#failures],
    };
  }
}

/** As a plain reader of the format has it. */
function checkPcap(bytes: Uint8Array, { rows, error }: CaptureReading): void {
  const { packets, stopsAt, isCorrupt } = expectedOfPcap(bytes, 262_144);
  const code = stopsAt === undefined ? undefined : isCorrupt ? 'corrupt' : 'truncated';
  holds(
    'pcap-as-written',
    rows === packets && error?.byteOffset === stopsAt && error?.code === code,
    () => `${rows} rows, ${error?.message}; expected ${packets}, ${code} at byte ${stopsAt}`,
  );
}

/** A cut file gives the packets of its whole records, and their flows. */
function checkCut(
  sound: Uint8Array,
  size: number,
  { rows, error }: CaptureReading,
  meter: MeterOracle,
  random: SeededRandom,
): void {
  const before = recordsOf(sound).filter(({ end }) => end <= size);
  const whole = before.filter(({ kind }) => kind === 'packet').length;
  const edge = before.at(-1)?.end ?? 0;
  const ends = error?.byteOffset ?? size;
  holds(
    'cut-names-the-record',
    ends === edge,
    () => `cut at byte ${size}: ${error?.message}; the last whole record ends at ${edge}`,
  );
  holds(
    'cut-keeps-whole-records',
    rows === whole,
    () => `cut at byte ${size}: ${rows} packets, ${whole} whole records`,
  );
  const again = new MeterOracle(meter.kind, 300);
  const frames: TimedFrame[] = [];
  readCapture(sound, random, (chunk) => frames.push(...framesOf(chunk)));
  const kept = frames.slice(0, whole);
  const seen = [0, 0, 0, 0, 0];
  for (const frame of kept) seen[checkDecoding(frame)]!++;
  const reference = new MeterOracle(meter.kind, 300);
  const digest = digestOf(reference, [kept], seen);
  readCapture(sound.subarray(0, size), random, (chunk) => again.add(chunk));
  again.finish(seen);
  holds('cut-keeps-flows', again.digest === digest, () => `cut at byte ${size}`);
}

function digestOf(meter: MeterOracle, pieces: readonly (readonly TimedFrame[])[], seen: readonly number[]): number {
  for (const frames of pieces) meter.add(chunkOf(frames));
  meter.finish(seen);
  return meter.digest;
}

function inPieces(frames: readonly TimedFrame[], random: SeededRandom): TimedFrame[][] {
  const pieces: TimedFrame[][] = [];
  for (let at = 0; at < frames.length;) {
    const size = random.between(1, 30);
    pieces.push(frames.slice(at, at + size));
    at += size;
  }
  return pieces;
}

/** Copies: a chunk is only lent. */
function framesOf({
  count,
  bytes,
  offsets,
  lengths,
  wireLengths,
  timesUs,
  linkTypes,
}: Parameters<MeterOracle['add']>[0]): TimedFrame[] {
  return Array.from({ length: count }, (_, row) => ({
    timeUs: timesUs[row]!,
    frame: bytes.slice(offsets[row], offsets[row]! + lengths[row]!),
    wireLength: wireLengths[row]!,
    linkType: linkTypes[row]!,
  }));
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function heldBytes(): number {
  // Buffers are swept beside the collector and are gone by the next turn.
  for (let turn = 0; turn < 4; turn++) collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
