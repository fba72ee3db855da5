/**
 * Compares our features with what the published meters wrote about the same capture.
 * usage: exactness.ts --reference DIR [--verbose]    DIR/golden/golden.pcap, DIR/golden/golden.{profile}.csv
 * Known artefacts of the published meters that we do not copy are left out by name, and listed.
 */
import { existsSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { FeatureProfile } from '../shared/src/features/feature-profile.ts';
import { featureCount, featureNames } from '../shared/src/features/feature-schema.ts';
import { PcapFileSource } from '../agent/src/capture/pcap-file-source.ts';
import type { FlowBatch } from '../agent/src/features/flow-batch.ts';
import { FlowMeter } from '../agent/src/features/flow-meter.ts';

const tolerance = 1e-9;

interface FlowLine {
  readonly key: string;
  readonly features: readonly number[];
}

/** They have the Ethernet trailer of VLAN-tagged frames as payload; ours is 0. */
const artefacts: readonly { key: string; why: string }[] = [
  { key: '10.0.0.2,40020,10.0.0.9,21,6', why: 'trailer of VLAN-tagged frames counted as payload' },
];

const { values: options } = parseArgs({
  options: { reference: { type: 'string' }, verbose: { type: 'boolean', default: false } },
});
if (options.reference === undefined || !existsSync(`${options.reference}/golden/golden.pcap`)) {
  console.error('usage: exactness.ts --reference DIR   (DIR/golden/golden.pcap must exist)');
  process.exitCode = 64;
} else {
  let differing = 0;
  console.log('profile        flows  reference  columns  differences  left out');
  for (const profile of FeatureProfile.options) differing += await compare(options.reference, profile);
  process.exitCode = differing === 0 ? 0 : 1;
}

async function compare(folder: string, profile: FeatureProfile): Promise<number> {
  const ours = await meter(`${folder}/golden/golden.pcap`, profile);
  const theirs = readLines(`${folder}/golden/golden.${profile}.csv`);
  const isArtefact = (line: FlowLine): boolean => artefacts.some((artefact) => artefact.key === line.key);
  let differences = 0;
  const unmatched = new Map<string, FlowLine[]>();
  for (const line of ours) unmatched.set(line.key, [...(unmatched.get(line.key) ?? []), line]);
  for (const line of theirs) {
    const mine = unmatched.get(line.key)?.shift();
    if (mine === undefined) {
      differences += featureCount;
      console.log(`  only in the reference: ${line.key}`);
    } else if (!isArtefact(line)) {
      for (let column = 0; column < featureCount; column++) {
        if (isClose(mine.features[column]!, line.features[column]!)) continue;
        differences++;
        if (options.verbose) {
          console.log(`  ${line.key} ${featureNames[column]}: ${mine.features[column]} for ${line.features[column]}`);
        }
      }
    }
  }
  for (const [key, lines] of unmatched) {
    if (lines.length > 0) console.log(`  only in ours: ${key} (${lines.length})`);
    differences += lines.length * featureCount;
  }
  console.log(
    `${profile.padEnd(13)} ${String(ours.length).padStart(6)} ${String(theirs.length).padStart(10)} ` +
      `${String(featureCount).padStart(8)} ${String(differences).padStart(12)}  ${theirs.filter(isArtefact).length}`,
  );
  return differences;
}

/** IPv4 flows only, which is all that the published meters read. */
async function meter(path: string, profile: FeatureProfile): Promise<FlowLine[]> {
  const lines: FlowLine[] = [];
  const flowMeter = FlowMeter.create({ profile, endings: 'reference' }, (batch) => addLines(lines, batch));
  await using source = await PcapFileSource.open(path);
  for await (const chunk of source.chunks(new AbortController().signal)) flowMeter.add(chunk);
  flowMeter.finish();
  return lines;
}

function addLines(lines: FlowLine[], batch: FlowBatch): void {
  for (let row = 0; row < batch.count; row++) {
    if (batch.family[row] !== 4) continue;
    const src = batch.srcAddress.subarray(row * 16 + 12, row * 16 + 16).join('.');
    const dst = batch.dstAddress.subarray(row * 16 + 12, row * 16 + 16).join('.');
    lines.push({
      key: [src, batch.srcPort[row], dst, batch.dstPort[row], batch.protocol[row]].join(','),
      features: [...batch.features.subarray(row * featureCount, (row + 1) * featureCount)],
    });
  }
}

function readLines(path: string): FlowLine[] {
  const [, ...lines] = readFileSync(path, 'utf8').trimEnd().split('\n');
  return lines.map((line) => {
    const cells = line.split(',');
    return { key: cells.slice(0, 5).join(','), features: cells.slice(5).map(Number) };
  });
}

function isClose(mine: number, theirs: number): boolean {
  if (Object.is(mine, theirs) || mine === theirs) return true;
  return Math.abs(mine - theirs) <= tolerance * Math.max(Math.abs(mine), Math.abs(theirs));
}
