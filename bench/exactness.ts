/**
 * Compares our features with what the published meters wrote about the same captures.
 * usage: exactness.ts --reference DIR [--captures] [--verbose]
 *   DIR/golden/golden.pcap and golden.{profile}.csv, compared for each profile;
 *   with --captures also DIR/data/cicflowmeter-reference/corrected against DIR/data/pcaps, for `fixed`.
 * Ends with 1 when a value of the golden files differs that is not a known artefact of the published meters.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { PcapFileSource } from '../agent/src/capture/pcap-file-source.ts';
import type { FlowBatch } from '../agent/src/features/flow-batch.ts';
import { FlowMeter } from '../agent/src/features/flow-meter.ts';
import { FeatureProfile } from '../shared/src/features/feature-profile.ts';
import { featureCount, featureNames, features } from '../shared/src/features/feature-schema.ts';

const tolerance = 1e-9;

interface FlowLine {
  readonly key: string;
  readonly values: readonly number[];
}

interface Comparison {
  readonly ours: number;
  readonly theirs: number;
  readonly differences: readonly string[];
  readonly artefacts: number;
}

/** ARP and EAPOL, which the published meters misread as IPv4 packets from these addresses. */
const misread = /^(?:8\.6\.0\.1|136\.142\.1\.3),0,[0-9.]+,0,0,/;

/** Between two ports of one address the published meters take every packet for forward; we go by the ports. */
const ownAddress = /^([0-9.]+),[0-9]+,\1,/;

/** The published meters count the Ethernet trailer of a VLAN-tagged frame as payload; we do not. */
const artefactKeys: ReadonlySet<string> = new Set(['10.0.0.2,40020,10.0.0.9,21,6']);

const { values: options } = parseArgs({
  options: {
    reference: { type: 'string' },
    captures: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
  },
});
const folder = options.reference;
if (folder === undefined || !existsSync(`${folder}/golden/golden.pcap`)) {
  console.error('usage: exactness.ts --reference DIR [--captures] [--verbose]   (DIR/golden/golden.pcap must exist)');
  process.exitCode = 64;
} else {
  if (!(await compareGolden(folder))) process.exitCode = 1;
  if (options.captures) await compareCaptures(folder);
}

async function compareGolden(from: string): Promise<boolean> {
  console.log('profile        flows  reference  columns  differences  in artefacts');
  let same = true;
  for (const profile of FeatureProfile.options) {
    const ours = await meter(`${from}/golden/golden.pcap`, profile, false);
    const theirs = readGolden(`${from}/golden/golden.${profile}.csv`);
    const result = compare(ours, theirs);
    same &&= result.differences.length === 0;
    console.log(
      `${profile.padEnd(13)} ${column(result.ours, 6)} ${column(result.theirs, 10)} ${column(featureCount, 8)} ` +
        `${column(result.differences.length, 12)} ${column(result.artefacts, 13)}`,
    );
    if (options.verbose) for (const difference of result.differences) console.log(`  ${difference}`);
  }
  return same;
}

async function compareCaptures(from: string): Promise<void> {
  const reference = `${from}/data/cicflowmeter-reference/corrected`;
  const files = readdirSync(reference, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.csv.gz'),
  );
  let agreeing = 0;
  let flows = 0;
  let differences = 0;
  let artefacts = 0;
  for (const file of files.sort()) {
    const path = `${from}/data/pcaps/${file.replace('.csv.gz', '')}`;
    const theirs = readPublished(`${reference}/${file}`);
    const result = compare(await meter(path, 'fixed', true), theirs);
    flows += theirs.length;
    differences += result.differences.length;
    artefacts += result.artefacts;
    if (result.differences.length === 0) {
      agreeing++;
      continue;
    }
    console.log(`${file}: flows ${result.ours} for ${result.theirs}, differences ${result.differences.length}`);
    if (options.verbose) for (const difference of result.differences.slice(0, 8)) console.log(`  ${difference}`);
  }
  console.log(
    `captures ${files.length}, flows ${flows}: ${agreeing} captures agree, ${differences} values differ; in known artefacts: ${artefacts}`,
  );
}

function compare(ours: readonly FlowLine[], theirs: readonly FlowLine[]): Comparison {
  const unmatched = new Map<string, FlowLine[]>();
  for (const line of ours) unmatched.set(line.key, [...(unmatched.get(line.key) ?? []), line]);
  const differences: string[] = [];
  let artefacts = 0;
  for (const line of theirs) {
    const mine = unmatched.get(line.key)?.shift();
    if (mine === undefined && misread.test(line.key)) {
      artefacts++;
      continue;
    }
    if (mine === undefined) {
      differences.push(`only in the reference: ${line.key}`);
      continue;
    }
    for (const [index, value] of line.values.entries()) {
      if (isClose(mine.values[index]!, value)) continue;
      if (artefactKeys.has(line.key) || ownAddress.test(line.key)) artefacts++;
      else differences.push(`${line.key} ${featureNames[index]}: ${mine.values[index]} for ${value}`);
    }
  }
  for (const [key, lines] of unmatched) {
    for (let left = 0; left < lines.length; left++) differences.push(`only in ours: ${key}`);
  }
  return { ours: ours.length, theirs: theirs.length, differences, artefacts };
}

/** IPv4 flows only, which is all that the published meters read. */
async function meter(path: string, profile: FeatureProfile, timed: boolean): Promise<FlowLine[]> {
  const lines: FlowLine[] = [];
  const capacity = 1_048_576;
  const flowMeter = FlowMeter.create({ profile, endings: 'reference', capacity }, (batch) =>
    addLines(lines, batch, timed),
  );
  await using source = await PcapFileSource.open(path);
  try {
    for await (const chunk of source.chunks(new AbortController().signal)) flowMeter.add(chunk);
  } catch (error) {
    console.log((error as Error).message);
  }
  flowMeter.finish();
  return lines;
}

function addLines(lines: FlowLine[], batch: FlowBatch, timed: boolean): void {
  for (let row = 0; row < batch.count; row++) {
    if (batch.family[row] !== 4) continue;
    const src = batch.srcAddress.subarray(row * 16 + 12, row * 16 + 16).join('.');
    const dst = batch.dstAddress.subarray(row * 16 + 12, row * 16 + 16).join('.');
    const key: (string | number)[] = [src, batch.srcPort[row]!, dst, batch.dstPort[row]!, batch.protocol[row]!];
    if (timed) key.push(batch.startedAtUs[row]!);
    lines.push({
      key: key.join(','),
      values: [...batch.features.subarray(row * featureCount, (row + 1) * featureCount)],
    });
  }
}

function readGolden(path: string): FlowLine[] {
  const [, ...lines] = readFileSync(path, 'utf8').trimEnd().split('\n');
  return lines.map((line) => {
    const cells = line.split(',');
    return { key: cells.slice(0, 5).join(','), values: cells.slice(5).map(Number) };
  });
}

/** The tables of the corrected meter: newer names, a time stamp in UTC, and columns of their own. */
function readPublished(path: string): FlowLine[] {
  const [header, ...lines] = gunzipSync(readFileSync(path)).toString().trimEnd().split('\n');
  const names = (header ?? '').trim().split(',');
  const at = (name: string): number => names.indexOf(name);
  const columns = features.map((feature) => at(feature.newer_name));
  const keys = ['Src IP', 'Src Port', 'Dst IP', 'Dst Port', 'Protocol'].map(at);
  return lines.map((line) => {
    const cells = line.trim().split(',');
    return {
      key: [...keys.map((index) => cells[index]), microseconds(cells[at('Timestamp')]!)].join(','),
      values: columns.map((index) => Number(cells[index])),
    };
  });
}

function microseconds(text: string): number {
  const [seconds, fraction = ''] = text.split('.');
  return Date.parse(`${seconds!.replace(' ', 'T')}Z`) * 1000 + Number(fraction.padEnd(6, '0'));
}

function isClose(mine: number, theirs: number): boolean {
  if (Object.is(mine, theirs) || mine === theirs) return true;
  return Math.abs(mine - theirs) <= tolerance * Math.max(Math.abs(mine), Math.abs(theirs));
}

function column(value: number, width: number): string {
  return String(value).padStart(width);
}
