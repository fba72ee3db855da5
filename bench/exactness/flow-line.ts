/** Our flows and the reference's rows in one shape, and the readers of the reference's two kinds of table. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { Chunk } from '../../agent/src/capture/packet-source.ts';
import type { FlowBatch } from '../../agent/src/features/flow-batch.ts';
import { FlowMeter } from '../../agent/src/features/flow-meter.ts';
import type { FeatureProfile } from '../../shared/src/features/feature-profile.ts';
import { featureCount, features } from '../../shared/src/features/feature-schema.ts';

/** One flow: its key (with the start in µs where `timed`) and 78 values. */
export interface FlowLine {
  readonly key: string;
  readonly values: readonly number[];
}

/** Meter with reference endings; IPv4 flows only, which is all that the published meters read. */
export async function meterLines(
  chunks: AsyncIterable<Chunk> | Iterable<Chunk>,
  profile: FeatureProfile,
  timed: boolean,
): Promise<FlowLine[]> {
  const lines: FlowLine[] = [];
  const meter = FlowMeter.create({ profile, endings: 'reference', capacity: 1_048_576 }, (batch) =>
    addLines(lines, batch, timed),
  );
  for await (const chunk of chunks) meter.add(chunk);
  meter.finish();
  return lines;
}

/**
 * Meter with live endings: flows and reports in the order they come, IPv6 too. With `passingTime` packet time is also moved
 * on between chunks, as a silent interface does.
 */
export async function meterLive(
  chunks: AsyncIterable<Chunk> | Iterable<Chunk>,
  passingTime: boolean,
): Promise<FlowLine[]> {
  const lines: FlowLine[] = [];
  const meter = FlowMeter.create({ profile: 'fixed', endings: 'live' }, (batch) => {
    for (let row = 0; row < batch.count; row++) {
      lines.push({
        key: [batch.flowNumber[row], batch.reportNumber[row], batch.end[row], batch.startedAtUs[row]].join(','),
        values: [...batch.features.subarray(row * featureCount, (row + 1) * featureCount)],
      });
    }
  });
  let lastUs = 0;
  for await (const chunk of chunks) {
    const nextUs = chunk.timesUs[0]!;
    if (passingTime && lastUs > 0 && nextUs > lastUs) meter.advanceTo(lastUs + (nextUs - lastUs) * 0.7);
    meter.add(chunk);
    lastUs = Math.max(lastUs, chunk.timesUs[chunk.count - 1]!);
  }
  meter.finish();
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

/** golden.PROFILE.csv: five key columns and the 78. */
export function readGolden(path: string): FlowLine[] {
  const [, ...lines] = readFileSync(path, 'utf8').trimEnd().split('\n');
  return lines.map((line) => {
    const cells = line.split(',');
    return { key: cells.slice(0, 5).join(','), values: cells.slice(5).map(Number) };
  });
}

/** The tables of the corrected meter: newer names, a time stamp in UTC, and columns of their own. */
export function readPublished(path: string): FlowLine[] {
  const [header, ...lines] = gunzipSync(readFileSync(path)).toString().trimEnd().split('\n');
  const names = (header ?? '').trim().split(',');
  const at = (name: string): number => {
    const index = names.indexOf(name);
    if (index < 0) throw new Error(`${path} has no column "${name}"`);
    return index;
  };
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
