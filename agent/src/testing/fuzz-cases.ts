/** One case of damaged packets or of one damaged file: through the real stages, past every oracle, and into the tally. */
import { captureCorpus, type Corpus } from './capture-corpus.ts';
import { mutateCapture } from './capture-mutator.ts';
import { type CaptureReading, readCapture } from './capture-oracle.ts';
import { expectedOfPcap, formatOf, recordsOf } from './capture-records.ts';
import { checkDecoding } from './decode-oracle.ts';
import { MeterOracle, meterKinds } from './meter-oracle.ts';
import { Digest, holds } from './oracle.ts';
import { chunkOf, type TimedFrame } from './packet-builder.ts';
import { mutateConversation } from './packet-mutator.ts';
import type { SeededRandom } from './seeded-random.ts';

const framesPerCase = 200;

/** What the cases of a run came to. */
export interface FuzzTally {
  /** Cases of packets, the frames in them, and those of the frames that were damaged. */
  readonly conversations: number;
  readonly frames: number;
  readonly packets: number;
  /** Cases of files, those that were damaged, and the packets that were read of them. */
  readonly fileCases: number;
  readonly files: number;
  readonly fileRows: number;
  /** Decoded, not IP, truncated, malformed, unsupported link. */
  readonly outcomes: readonly number[];
  /** How files ended, by code of the error. */
  readonly errors: Readonly<Record<string, number>>;
  /** Equal for equal cases. */
  readonly digest: number;
}

export class FuzzCases {
  readonly #corpus: Corpus = captureCorpus();
  readonly #digest = new Digest();
  readonly #outcomes = [0, 0, 0, 0, 0];
  readonly #errors: Record<string, number> = {};
  #conversations = 0;
  #frames = 0;
  #packets = 0;
  #fileCases = 0;
  #files = 0;
  #fileRows = 0;

  get tally(): FuzzTally {
    return {
      conversations: this.#conversations,
      frames: this.#frames,
      packets: this.#packets,
      fileCases: this.#fileCases,
      files: this.#files,
      fileRows: this.#fileRows,
      outcomes: [...this.#outcomes],
      errors: { ...this.#errors },
      digest: this.#digest.value,
    };
  }

  /** @throws {OracleFailure} when a promise is broken, and whatever the stages throw */
  packetCase(random: SeededRandom): void {
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

  /** @throws as `packetCase` does */
  fileCase(random: SeededRandom): void {
    this.#fileCases++;
    const { files } = this.#corpus;
    const sound = random.pick(files).bytes;
    const isCut = random.chance(0.2);
    const bytes = isCut
      ? sound.slice(0, random.below(sound.length + 1))
      : mutateCapture(sound, random, random.pick(files).bytes);
    if (Buffer.compare(bytes, sound) !== 0) this.#files++;
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
