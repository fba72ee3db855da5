/**
 * Brings a flow's record forward by one packet, in place. The fields are in flow-fields.ts.
 *
 * Two rules keep this file, and what it calls, free of allocation. Times travel in an array of one double, because a
 * number that is no small integer would be allocated for every call it is passed to. And imported constants are given a
 * name of this file: an import is looked up again at each use, a constant of the file is compiled in (measured: a
 * quarter of the meter's time).
 */
import { field, type PacketFields, tcpFlag } from '../packet/packet-fields.ts';
import { advanceBulk } from './bulk-transfers.ts';
import {
  directionField,
  directionInt,
  flowField,
  flowInt,
  packFirstPacket,
  recordInts,
  recordWords,
} from './flow-fields.ts';

const p = field;
const t = tcpFlag;
const f = flowField;
const fi = flowInt;
const d = directionField;
const di = directionInt;
const words = recordWords;
const ints32 = recordInts;

const activityTimeoutUs = 5_000_000;
const subflowGapUs = 1_000_000;
const largestInt = 0x7fff_ffff;

/** All records; `ints` and `bytes` are the same memory as `values`. */
export interface FlowRecords {
  readonly values: Float64Array<ArrayBuffer>;
  readonly ints: Int32Array<ArrayBuffer>;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Room for so many flows. Pages of memory are only taken once a record is used. */
export function createRecords(capacity: number): FlowRecords {
  const values = new Float64Array(capacity * words);
  return { values, ints: new Int32Array(values.buffer), bytes: new Uint8Array(values.buffer) };
}

/** Begin a flow in the record of `slot` with its first packet, which came at `atUs[0]`. The key and what the table notes of the slot are left. */
export function openRecord(
  values: Float64Array,
  ints: Int32Array,
  slot: number,
  forward: boolean,
  packets: PacketFields,
  row: number,
  atUs: Float64Array,
  payloadField: number,
): void {
  const record = slot * words;
  const record32 = slot * ints32;
  for (let word = f.startedAtUs; word < fi.gaps >> 1; word++) values[record + word] = 0;
  for (let word = f.forward; word < fi.keyRest >> 1; word++) values[record + word] = 0;
  ints[record32 + fi.gaps] = 0;
  values[record + f.startedAtUs] = atUs[0]!;
  values[record + f.lastPacketAtUs] = atUs[0]!;
  values[record + f.activeStartUs] = atUs[0]!;
  values[record + f.iatMax] = -Infinity;
  values[record + f.iatMin] = Infinity;
  values[record + f.activeMax] = -Infinity;
  values[record + f.activeMin] = Infinity;
  values[record + f.idleMax] = -Infinity;
  values[record + f.idleMin] = Infinity;
  ints[record32 + fi.firstPayloadBytes] = packets[row + payloadField]!;
  ints[record32 + fi.firstPacket] = packFirstPacket(packets[row + p.flags]!, forward, packets[row + p.window]!);
  ints[record32 + fi.forwardHeaderMin] = largestInt;
  openDirection(values, ints, record + f.forward);
  openDirection(values, ints, record + f.backward);
  values[record + (forward ? f.forward : f.backward) + d.firstAtUs] = atUs[0]!;
  addToDirection(values, ints, record, forward, packets, row, atUs, payloadField);
}

function openDirection(values: Float64Array, ints: Int32Array, own: number): void {
  values[own + d.iatMax] = -Infinity;
  values[own + d.iatMin] = Infinity;
  ints[own * 2 + di.payloadMax] = -1;
  ints[own * 2 + di.payloadMin] = largestInt;
}

/**
 * Add a packet that came at `atUs[0]` to the flow in the record of `slot`. `payloadField` says which length counts.
 * `withActivity` is false for the one packet that the tool of 2017 left out of the active and idle periods.
 */
export function addPacket(
  values: Float64Array,
  ints: Int32Array,
  slot: number,
  forward: boolean,
  packets: PacketFields,
  row: number,
  atUs: Float64Array,
  payloadField: number,
  withActivity: boolean,
): void {
  const record = slot * words;
  const timeUs = atUs[0]!;
  const lastUs = values[record + f.lastPacketAtUs]!;
  const iat = timeUs - lastUs;
  values[record + f.lastPacketAtUs] = timeUs;
  values[record + f.iatSquares]! += iat * iat;
  if (iat > values[record + f.iatMax]!) values[record + f.iatMax] = iat;
  if (iat < values[record + f.iatMin]!) values[record + f.iatMin] = iat;
  if (iat > subflowGapUs) {
    ints[slot * ints32 + fi.gaps]!++;
    if (iat > activityTimeoutUs && withActivity) closeActivePeriod(values, ints, slot, lastUs, timeUs);
  }
  const own = record + (forward ? f.forward : f.backward);
  if (ints[own * 2 + di.packets]! > 0) {
    const ownIat = timeUs - values[own + d.lastAtUs]!;
    values[own + d.iatSquares]! += ownIat * ownIat;
    if (ownIat > values[own + d.iatMax]!) values[own + d.iatMax] = ownIat;
    if (ownIat < values[own + d.iatMin]!) values[own + d.iatMin] = ownIat;
  } else {
    values[own + d.firstAtUs] = timeUs;
  }
  addToDirection(values, ints, record, forward, packets, row, atUs, payloadField);
}

function addToDirection(
  values: Float64Array,
  ints: Int32Array,
  record: number,
  forward: boolean,
  packets: PacketFields,
  row: number,
  atUs: Float64Array,
  payloadField: number,
): void {
  const own = record + (forward ? f.forward : f.backward);
  const own32 = own * 2;
  const payloadBytes = packets[row + payloadField]!;
  const headerBytes = packets[row + p.headerBytes]!;
  const flags = packets[row + p.flags]!;
  ints[own32 + di.packets]!++;
  values[own + d.lastAtUs] = atUs[0]!;
  if (payloadBytes > ints[own32 + di.payloadMax]!) ints[own32 + di.payloadMax] = payloadBytes;
  if (payloadBytes < ints[own32 + di.payloadMin]!) ints[own32 + di.payloadMin] = payloadBytes;
  values[own + d.headerBytes]! += headerBytes;
  const record32 = record * 2;
  if (forward) {
    if (headerBytes < ints[record32 + fi.forwardHeaderMin]!) ints[record32 + fi.forwardHeaderMin] = headerBytes;
  } else {
    const window = packets[row + p.window]!;
    const first = ints[record32 + fi.backwardWindows]! >>> 16;
    ints[record32 + fi.backwardWindows] = ((first === 0 ? window : first) << 16) | window;
  }
  if (flags !== 0) {
    if ((flags & t.ack) !== 0) ints[own32 + di.ack]!++;
    if ((flags & t.psh) !== 0) ints[own32 + di.psh]!++;
    if ((flags & ~(t.ack | t.psh)) !== 0) countRareFlags(ints, record32, own32, flags);
  }
  if (payloadBytes > 0) {
    ints[own32 + di.dataPackets]!++;
    values[own + d.payloadBytes]! += payloadBytes;
    values[own + d.payloadSquares]! += payloadBytes * payloadBytes;
  }
  advanceBulk(values, ints, own, record + (forward ? f.backward : f.forward), atUs, payloadBytes);
}

function countRareFlags(ints: Int32Array, record32: number, own32: number, flags: number): void {
  if ((flags & t.fin) !== 0) ints[own32 + di.fin]!++;
  if ((flags & t.syn) !== 0) ints[record32 + fi.syn]!++;
  if ((flags & t.rst) !== 0) ints[record32 + fi.rst]!++;
  if ((flags & t.urg) !== 0) ints[own32 + di.urg]!++;
  if ((flags & t.ece) !== 0) ints[record32 + fi.ece]!++;
  if ((flags & t.cwr) !== 0) ints[record32 + fi.cwr]!++;
}

/** A silence of more than 5 s: the active period before it ends (unless it was one packet), the silence was idle. */
function closeActivePeriod(values: Float64Array, ints: Int32Array, slot: number, lastUs: number, timeUs: number): void {
  const record = slot * words;
  const active = lastUs - values[record + f.activeStartUs]!;
  if (active > 0) {
    ints[slot * ints32 + fi.activeCount]!++;
    values[record + f.activeSum]! += active;
    values[record + f.activeSquares]! += active * active;
    if (active > values[record + f.activeMax]!) values[record + f.activeMax] = active;
    if (active < values[record + f.activeMin]!) values[record + f.activeMin] = active;
  }
  const idle = timeUs - lastUs;
  ints[slot * ints32 + fi.idleCount]!++;
  values[record + f.idleSum]! += idle;
  values[record + f.idleSquares]! += idle * idle;
  if (idle > values[record + f.idleMax]!) values[record + f.idleMax] = idle;
  if (idle < values[record + f.idleMin]!) values[record + f.idleMin] = idle;
  values[record + f.activeStartUs] = timeUs;
}
