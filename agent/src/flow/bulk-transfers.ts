/**
 * Bulk transfers: runs of at least four packets with payload in one direction, not interrupted by payload of the other
 * and with no gap of more than 1 s.
 */
import { directionField } from './flow-fields.ts';

const bulkGapUs = 1_000_000;
const bulkPackets = 4;

/** A packet with `payloadBytes` went in the direction whose part begins at `own`; the other's begins at `other`. */
export function advanceBulk(
  values: Float64Array,
  own: number,
  other: number,
  timeUs: number,
  payloadBytes: number,
): void {
  const start = values[own + directionField.bulkStartUs]!;
  const interrupted = values[other + directionField.bulkLastUs]! > start;
  if (payloadBytes === 0) {
    if (interrupted) values[own + directionField.bulkStartUs] = 0;
    return;
  }
  const lastUs = values[own + directionField.bulkLastUs]!;
  values[own + directionField.bulkLastUs] = timeUs;
  if (interrupted || start === 0 || timeUs - lastUs > bulkGapUs) {
    values[own + directionField.bulkStartUs] = timeUs;
    values[own + directionField.bulkCount] = 1;
    values[own + directionField.bulkSize] = payloadBytes;
    return;
  }
  const count = values[own + directionField.bulkCount]! + 1;
  const size = values[own + directionField.bulkSize]! + payloadBytes;
  values[own + directionField.bulkCount] = count;
  values[own + directionField.bulkSize] = size;
  if (count === bulkPackets) {
    values[own + directionField.bulks]!++;
    values[own + directionField.bulkPackets]! += bulkPackets;
    values[own + directionField.bulkBytes]! += size;
    values[own + directionField.bulkDurationUs]! += timeUs - start;
  } else if (count > bulkPackets) {
    values[own + directionField.bulkPackets]!++;
    values[own + directionField.bulkBytes]! += payloadBytes;
    values[own + directionField.bulkDurationUs]! += timeUs - lastUs;
  }
}
