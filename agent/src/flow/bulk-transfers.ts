/**
 * Bulk transfers: runs of at least four packets with payload in one direction, not interrupted by payload of the other
 * and with no gap of more than 1 s.
 */
import { directionField, directionInt } from './flow-fields.ts';

const d = directionField;
const di = directionInt;

const bulkGapUs = 1_000_000;
const bulkPackets = 4;

/** A packet with `payloadBytes` went at `atUs[0]` in the direction that begins at `own`; the other begins at `other`. */
export function advanceBulk(
  values: Float64Array,
  ints: Int32Array,
  own: number,
  other: number,
  atUs: Float64Array,
  payloadBytes: number,
): void {
  const start = values[own + d.bulkStartUs]!;
  const interrupted = values[other + d.bulkLastUs]! > start;
  if (payloadBytes === 0) {
    if (interrupted) values[own + d.bulkStartUs] = 0;
    return;
  }
  const timeUs = atUs[0]!;
  const own32 = own * 2;
  const lastUs = values[own + d.bulkLastUs]!;
  values[own + d.bulkLastUs] = timeUs;
  if (interrupted || start === 0 || timeUs - lastUs > bulkGapUs) {
    values[own + d.bulkStartUs] = timeUs;
    ints[own32 + di.bulkCount] = 1;
    ints[own32 + di.bulkSize] = payloadBytes;
    return;
  }
  const count = ints[own32 + di.bulkCount]! + 1;
  ints[own32 + di.bulkCount] = count;
  if (count > bulkPackets) {
    ints[own32 + di.bulkPackets]!++;
    values[own + d.bulkBytes]! += payloadBytes;
    values[own + d.bulkDurationUs]! += timeUs - lastUs;
    return;
  }
  const size = ints[own32 + di.bulkSize]! + payloadBytes;
  ints[own32 + di.bulkSize] = size;
  if (count < bulkPackets) return;
  ints[own32 + di.bulks]!++;
  ints[own32 + di.bulkPackets]! += bulkPackets;
  values[own + d.bulkBytes]! += size;
  values[own + d.bulkDurationUs]! += timeUs - start;
}
