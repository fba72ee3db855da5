/**
 * Compares our features with what the published meters wrote about the same captures. See docs/flow-meter.md.
 * Without --captures: DIR/golden/golden.pcap against golden.PROFILE.csv for each profile, also in every file form and cut
 * at random places. With it also DIR/data/cicflowmeter-reference/corrected against DIR/data/pcaps, for `fixed`.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { CaptureError } from '../agent/src/capture/capture-error.ts';
import type { Chunk } from '../agent/src/capture/packet-source.ts';
import { PcapFileSource } from '../agent/src/capture/pcap-file-source.ts';
import { captureForms, chunksInPieces } from '../agent/src/testing/capture-forms.ts';
import type { TimedFrame } from '../agent/src/testing/packet-builder.ts';
import { FeatureProfile } from '../shared/src/features/feature-profile.ts';
import { compareFlows, type Comparison } from './exactness/compare-flows.ts';
import { type FlowLine, meterLines, meterLive, readGolden, readPublished } from './exactness/flow-line.ts';
import { referenceArtefacts } from './exactness/reference-artefacts.ts';

const usage = `usage: npm run -s bench -- exactness --reference DIR [--captures] [--verbose]
  --reference DIR  has golden/golden.pcap and golden/golden.PROFILE.csv (cic2017, improved2022, fixed)
  --captures       also every DIR/data/cicflowmeter-reference/corrected/**/NAME.csv.gz against DIR/data/pcaps/**/NAME
  --verbose        every difference, and a line for each capture; otherwise only captures that differ
Ends with 0 when all values agree within 1e-9 or lie in a listed artefact of the reference, with 1 when not,
with 64 when it was called wrongly.`;

const { values: options } = parseArgs({
  options: {
    reference: { type: 'string' },
    captures: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
/** By artefact, over everything that was compared. */
const setAside = new Map<string, { rows: number; values: number }>();
let isExact = true;

const folder = options.reference;
if (options.help) {
  console.log(usage);
} else if (folder === undefined || !existsSync(`${folder}/golden/golden.pcap`)) {
  console.error(folder === undefined ? usage : `there is no ${folder}/golden/golden.pcap\n${usage}`);
  process.exitCode = 64;
} else {
  await compareGolden(folder);
  if (options.captures) await compareCaptures(folder);
  printSetAside();
  process.exitCode = isExact ? 0 : 1;
}

async function compareGolden(from: string): Promise<void> {
  const path = `${from}/golden/golden.pcap`;
  const bytes = new Uint8Array(readFileSync(path));
  const forms = captureForms(await framesOf(path));
  console.log('profile        flows  reference   values  differences  set aside  other forms and borders');
  for (const profile of FeatureProfile.options) {
    const ours = await meterLines(fileChunks(path), profile, false);
    const result = compareFlows(ours, readGolden(`${from}/golden/golden.${profile}.csv`));
    const rewritten = forms.map((form) => chunksInPieces(form.bytes, borders(forms.indexOf(form))));
    const cut = Array.from({ length: 20 }, (_, seed) => chunksInPieces(bytes, borders(seed)));
    const variants = [...rewritten, ...cut];
    let same = 0;
    for (const variant of variants) same += areEqual(await meterLines(variant, profile, false), ours) ? 1 : 0;
    isExact &&= same === variants.length;
    console.log(
      `${profile.padEnd(13)} ${column(result.ours, 6)} ${column(result.theirs, 10)} ${column(result.values, 8)} ` +
        `${column(result.differences.length, 12)} ${column(valuesAside(result), 10)}  ${same} of ${variants.length} the same`,
    );
    note(result);
  }
}

async function compareCaptures(from: string): Promise<void> {
  const reference = `${from}/data/cicflowmeter-reference/corrected`;
  const files = readdirSync(reference, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.csv.gz'))
    .toSorted();
  const total = { agreeing: 0, recut: 0, flows: 0, live: 0, values: 0, differences: 0 };
  for (const file of files) {
    const path = `${from}/data/pcaps/${file.replace('.csv.gz', '')}`;
    const ours = await meterLines(fileChunks(path), 'fixed', true);
    const result = compareFlows(ours, readPublished(`${reference}/${file}`));
    const bytes = new Uint8Array(readFileSync(path));
    const pieces = borders(total.flows);
    const live = await meterLive(fileChunks(path), false);
    const isSame =
      areEqual(await meterLines(chunksInPieces(bytes, pieces), 'fixed', true), ours) &&
      areEqual(await meterLive(chunksInPieces(bytes, pieces), true), live);
    total.live += live.length;
    isExact &&= isSame;
    total.agreeing += result.differences.length === 0 ? 1 : 0;
    total.recut += isSame ? 1 : 0;
    total.flows += result.theirs;
    total.values += result.values;
    total.differences += result.differences.length;
    if (options.verbose || result.differences.length > 0 || !isSame) {
      console.log(
        `${file}: flows ${result.ours} for ${result.theirs}, differences ${result.differences.length}, ` +
          `set aside ${valuesAside(result)}${isSame ? '' : ', other flows when cut elsewhere'}`,
      );
    }
    note(result);
  }
  console.log(
    `fixed, ${files.length} captures: ${total.agreeing} agree; ${total.flows} flows, ${total.values} values, ` +
      `${total.differences} differences\ncut at random places, reference and live endings (${total.live} flows and reports): ` +
      `${total.recut} of ${files.length} the same`,
  );
  isExact &&= files.length > 0;
}

/** Add a comparison to the totals; with --verbose say what differed. */
function note(result: Comparison): void {
  isExact &&= result.differences.length === 0;
  for (const [id, count] of result.setAside) {
    const sum = setAside.get(id) ?? { rows: 0, values: 0 };
    setAside.set(id, { rows: sum.rows + count.rows, values: sum.values + count.values });
  }
  if (options.verbose) for (const difference of result.differences) console.log(`  ${difference}`);
}

function printSetAside(): void {
  console.log('set aside         rows  values  reason');
  for (const { id, reason } of referenceArtefacts) {
    const { rows, values } = setAside.get(id) ?? { rows: 0, values: 0 };
    console.log(`${id.padEnd(16)} ${column(rows, 5)} ${column(values, 7)}  ${reason}`);
  }
}

async function* fileChunks(path: string): AsyncGenerator<Chunk, void, void> {
  try {
    await using source = await PcapFileSource.open(path);
    yield* source.chunks(new AbortController().signal);
  } catch (error) {
    if (!(error instanceof CaptureError)) throw error;
    console.log(`  ${error.message}`);
    isExact = false;
  }
}

async function framesOf(path: string): Promise<TimedFrame[]> {
  const frames: TimedFrame[] = [];
  for await (const { count, bytes, offsets, lengths, wireLengths, timesUs } of fileChunks(path)) {
    for (let row = 0; row < count; row++) {
      const frame = bytes.slice(offsets[row], offsets[row]! + lengths[row]!);
      frames.push({ timeUs: timesUs[row]!, frame, wireLength: wireLengths[row]! });
    }
  }
  return frames;
}

/** Sizes of pieces, small and large, the same for the same seed. */
function borders(seed: number): number[] {
  let state = seed + 1;
  return Array.from({ length: 97 }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return 1 + ((state >>> 8) % (state % 4 === 0 ? 60_000 : 300));
  });
}

function areEqual(one: readonly FlowLine[], other: readonly FlowLine[]): boolean {
  return (
    one.length === other.length &&
    one.every((line, row) => {
      const { key, values } = other[row]!;
      return key === line.key && values.every((value, index) => Object.is(value, line.values[index]));
    })
  );
}

function valuesAside(result: Comparison): number {
  return [...result.setAside.values()].reduce((sum, { rows, values }) => sum + rows + values, 0);
}

function column(value: number, width: number): string {
  return String(value).padStart(width);
}
