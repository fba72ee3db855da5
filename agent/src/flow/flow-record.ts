/** Brings a flow's record forward by one packet, in place. The fields are in flow-fields.ts. */
import { tcpFlag } from '../packet/packet-fields.ts';
import { advanceBulk } from './bulk-transfers.ts';
import { directionField, flowField, recordDoubles } from './flow-fields.ts';

const activityTimeoutUs = 5_000_000;
const subflowGapUs = 1_000_000;

const emptyRecord = new Float64Array(recordDoubles);
for (const part of [flowField.forward, flowField.backward]) {
  emptyRecord[part + directionField.payloadMax] = -Infinity;
  emptyRecord[part + directionField.payloadMin] = Infinity;
  emptyRecord[part + directionField.headerMin] = Infinity;
  emptyRecord[part + directionField.iatMax] = -Infinity;
  emptyRecord[part + directionField.iatMin] = Infinity;
}
for (const offset of [flowField.iatMax, flowField.activeMax, flowField.idleMax]) emptyRecord[offset] = -Infinity;
for (const offset of [flowField.iatMin, flowField.activeMin, flowField.idleMin]) emptyRecord[offset] = Infinity;

/** Begin a flow in the record at `record` with its first packet. */
export function openRecord(
  values: Float64Array,
  record: number,
  forward: boolean,
  timeUs: number,
  payloadBytes: number,
  headerBytes: number,
  flags: number,
  window: number,
): void {
  for (let i = 0; i < recordDoubles; i++) values[record + i] = emptyRecord[i]!;
  values[record + flowField.startedAtUs] = timeUs;
  values[record + flowField.lastPacketAtUs] = timeUs;
  values[record + flowField.activeStartUs] = timeUs;
  values[record + flowField.firstPayloadBytes] = payloadBytes;
  values[record + flowField.firstFlags] = flags;
  values[record + flowField.firstWindow] = window;
  values[record + flowField.firstIsForward] = forward ? 1 : 0;
  addToDirection(values, record, forward, timeUs, payloadBytes, headerBytes, flags, window);
}

/**
 * Add a packet to the flow in the record at `record`. `withActivity` is false for the one packet that the tool of 2017
 * left out of the active and idle periods.
 */
export function addPacket(
  values: Float64Array,
  record: number,
  forward: boolean,
  timeUs: number,
  payloadBytes: number,
  headerBytes: number,
  flags: number,
  window: number,
  withActivity: boolean,
): void {
  const lastUs = values[record + flowField.lastPacketAtUs]!;
  const iat = timeUs - lastUs;
  values[record + flowField.lastPacketAtUs] = timeUs;
  values[record + flowField.iatSquares]! += iat * iat;
  if (iat > values[record + flowField.iatMax]!) values[record + flowField.iatMax] = iat;
  if (iat < values[record + flowField.iatMin]!) values[record + flowField.iatMin] = iat;
  if (iat > subflowGapUs) {
    values[record + flowField.gaps]!++;
    if (iat > activityTimeoutUs && withActivity) closeActivePeriod(values, record, lastUs, timeUs);
  }
  addToDirection(values, record, forward, timeUs, payloadBytes, headerBytes, flags, window);
}

function addToDirection(
  values: Float64Array,
  record: number,
  forward: boolean,
  timeUs: number,
  payloadBytes: number,
  headerBytes: number,
  flags: number,
  window: number,
): void {
  const own = record + (forward ? flowField.forward : flowField.backward);
  const packets = values[own + directionField.packets]!;
  if (packets > 0) {
    const iat = timeUs - values[own + directionField.lastAtUs]!;
    values[own + directionField.iatSquares]! += iat * iat;
    if (iat > values[own + directionField.iatMax]!) values[own + directionField.iatMax] = iat;
    if (iat < values[own + directionField.iatMin]!) values[own + directionField.iatMin] = iat;
  } else {
    values[own + directionField.firstAtUs] = timeUs;
  }
  values[own + directionField.packets] = packets + 1;
  values[own + directionField.lastAtUs] = timeUs;
  if (payloadBytes > values[own + directionField.payloadMax]!) values[own + directionField.payloadMax] = payloadBytes;
  if (payloadBytes < values[own + directionField.payloadMin]!) values[own + directionField.payloadMin] = payloadBytes;
  values[own + directionField.headerBytes]! += headerBytes;
  if (headerBytes < values[own + directionField.headerMin]!) values[own + directionField.headerMin] = headerBytes;
  if (!forward) {
    values[record + flowField.lastBackwardWindow] = window;
    if (values[record + flowField.firstBackwardWindow] === 0) values[record + flowField.firstBackwardWindow] = window;
  }
  if (flags !== 0) countFlags(values, record, own, flags);
  if (payloadBytes > 0) {
    values[own + directionField.dataPackets]!++;
    values[own + directionField.payloadBytes]! += payloadBytes;
    values[own + directionField.payloadSquares]! += payloadBytes * payloadBytes;
  }
  const other = record + (forward ? flowField.backward : flowField.forward);
  advanceBulk(values, own, other, timeUs, payloadBytes);
}

function countFlags(values: Float64Array, record: number, own: number, flags: number): void {
  if ((flags & tcpFlag.ack) !== 0) values[record + flowField.ack]!++;
  if ((flags & tcpFlag.psh) !== 0) values[own + directionField.psh]!++;
  if ((flags & ~(tcpFlag.ack | tcpFlag.psh)) === 0) return;
  if ((flags & tcpFlag.fin) !== 0) values[own + directionField.fin]!++;
  if ((flags & tcpFlag.syn) !== 0) values[record + flowField.syn]!++;
  if ((flags & tcpFlag.rst) !== 0) values[record + flowField.rst]!++;
  if ((flags & tcpFlag.urg) !== 0) values[own + directionField.urg]!++;
  if ((flags & tcpFlag.ece) !== 0) values[record + flowField.ece]!++;
  if ((flags & tcpFlag.cwr) !== 0) values[record + flowField.cwr]!++;
}

/** A silence of more than 5 s: the active period before it ends (unless it was one packet), the silence was idle. */
function closeActivePeriod(values: Float64Array, record: number, lastUs: number, timeUs: number): void {
  const active = lastUs - values[record + flowField.activeStartUs]!;
  if (active > 0) {
    values[record + flowField.activeCount]!++;
    values[record + flowField.activeSum]! += active;
    values[record + flowField.activeSquares]! += active * active;
    if (active > values[record + flowField.activeMax]!) values[record + flowField.activeMax] = active;
    if (active < values[record + flowField.activeMin]!) values[record + flowField.activeMin] = active;
  }
  const idle = timeUs - lastUs;
  values[record + flowField.idleCount]!++;
  values[record + flowField.idleSum]! += idle;
  values[record + flowField.idleSquares]! += idle * idle;
  if (idle > values[record + flowField.idleMax]!) values[record + flowField.idleMax] = idle;
  if (idle < values[record + flowField.idleMin]!) values[record + flowField.idleMin] = idle;
  values[record + flowField.activeStartUs] = timeUs;
}
