/**
 * A flow's record → its 78 numbers, in the order of `flow-features.json`. The columns are written as `fixed` has them;
 * the two older profiles then overwrite those where they differ.
 */
import type { FeatureProfile } from '@picket/shared/features/feature-profile';
import {
  directionField,
  directionInt,
  firstBackwardWindow,
  firstFlags,
  firstIsForward,
  firstWindow,
  flowField,
  flowInt,
  lastBackwardWindow,
  recordWords,
} from '../flow/flow-fields.ts';
import type { FlowRecords } from '../flow/flow-record.ts';
import { ipProtocol, tcpFlag } from '../packet/packet-fields.ts';
import { sampleVariance, writeSpread } from './running-statistics.ts';

/** Write the features of the flow in `slot` to `out[at .. at + 77]`. `protocol` is the flow's. */
export type ExtractFeatures = (
  records: FlowRecords,
  slot: number,
  dstPort: number,
  protocol: number,
  out: Float64Array,
  at: number,
) => void;

/** The extractor of a profile. */
export function featureExtractor(profile: FeatureProfile): ExtractFeatures {
  return { fixed: extractFixed, improved2022: extractImproved2022, cic2017: extractCic2017 }[profile];
}

const d = directionField;
const di = directionInt;
const f = flowField;
const fi = flowInt;

function extractFixed(
  records: FlowRecords,
  slot: number,
  dstPort: number,
  _protocol: number,
  out: Float64Array,
  at: number,
): void {
  const { values, ints } = records;
  const record = slot * recordWords;
  const fwd = record + f.forward;
  const bwd = record + f.backward;
  const fwdPackets = ints[fwd * 2 + di.packets]!;
  const bwdPackets = ints[bwd * 2 + di.packets]!;
  const fwdBytes = values[fwd + d.payloadBytes]!;
  const bwdBytes = values[bwd + d.payloadBytes]!;
  const packets = fwdPackets + bwdPackets;
  const bytes = fwdBytes + bwdBytes;
  const durationUs = values[record + f.lastPacketAtUs]! - values[record + f.startedAtUs]!;
  const seconds = durationUs / 1e6;

  out[at] = dstPort;
  out[at + 1] = durationUs;
  out[at + 2] = fwdPackets;
  out[at + 3] = bwdPackets;
  out[at + 4] = fwdBytes;
  out[at + 5] = bwdBytes;
  writeLengths(values, ints, fwd, out, at + 6);
  writeLengths(values, ints, bwd, out, at + 10);
  out[at + 14] = durationUs === 0 ? -1 : bytes / seconds;
  out[at + 15] = durationUs === 0 ? -1 : packets / seconds;
  writeSpread(
    out,
    at + 16,
    packets - 1,
    durationUs,
    values[record + f.iatSquares]!,
    values[record + f.iatMax]!,
    values[record + f.iatMin]!,
  );
  writeDirectionIats(values, ints, fwd, out, at + 20);
  writeDirectionIats(values, ints, bwd, out, at + 25);
  out[at + 30] = ints[fwd * 2 + di.psh]!;
  out[at + 31] = ints[bwd * 2 + di.psh]!;
  out[at + 32] = ints[fwd * 2 + di.urg]!;
  out[at + 33] = ints[bwd * 2 + di.urg]!;
  out[at + 34] = values[fwd + d.headerBytes]!;
  out[at + 35] = values[bwd + d.headerBytes]!;
  out[at + 36] = durationUs > 0 ? fwdPackets / seconds : 0;
  out[at + 37] = durationUs > 0 ? bwdPackets / seconds : 0;
  out[at + 38] = Math.min(ints[fwd * 2 + di.payloadMin]!, ints[bwd * 2 + di.payloadMin]!);
  out[at + 39] = Math.max(ints[fwd * 2 + di.payloadMax]!, ints[bwd * 2 + di.payloadMax]!);
  const variance = sampleVariance(packets, bytes, values[fwd + d.payloadSquares]! + values[bwd + d.payloadSquares]!);
  out[at + 40] = bytes / packets;
  out[at + 41] = Math.sqrt(variance);
  out[at + 42] = variance;
  out[at + 43] = ints[fwd * 2 + di.fin]! + ints[bwd * 2 + di.fin]!;
  out[at + 44] = ints[record * 2 + fi.syn]!;
  out[at + 45] = ints[record * 2 + fi.rst]!;
  out[at + 46] = ints[fwd * 2 + di.psh]! + ints[bwd * 2 + di.psh]!;
  out[at + 47] = ints[fwd * 2 + di.ack]! + ints[bwd * 2 + di.ack]!;
  out[at + 48] = ints[fwd * 2 + di.urg]! + ints[bwd * 2 + di.urg]!;
  out[at + 49] = ints[record * 2 + fi.cwr]!;
  out[at + 50] = ints[record * 2 + fi.ece]!;
  out[at + 51] = ratio(bwdPackets, fwdPackets);
  out[at + 52] = bytes / packets;
  out[at + 53] = ratio(fwdBytes, fwdPackets);
  out[at + 54] = ratio(bwdBytes, bwdPackets);
  out[at + 55] = values[fwd + d.headerBytes]!;
  writeBulks(values, ints, fwd, out, at + 56);
  writeBulks(values, ints, bwd, out, at + 59);
  const gaps = ints[record * 2 + fi.gaps]!;
  out[at + 62] = ratio(fwdPackets, gaps);
  out[at + 63] = ratio(fwdBytes, gaps);
  out[at + 64] = ratio(bwdPackets, gaps);
  out[at + 65] = ratio(bwdBytes, gaps);
  const startsForward = firstIsForward(ints[record * 2 + fi.firstPacket]!);
  out[at + 66] = startsForward ? firstWindow(ints[record * 2 + fi.firstPacket]!) : 0;
  out[at + 67] = firstBackwardWindow(ints[record * 2 + fi.backwardWindows]!);
  out[at + 68] = ints[fwd * 2 + di.dataPackets]!;
  out[at + 69] = startsForward ? ints[record * 2 + fi.forwardHeaderMin]! : 0;
  writeSpread(
    out,
    at + 70,
    ints[record * 2 + fi.activeCount]!,
    values[record + f.activeSum]!,
    values[record + f.activeSquares]!,
    values[record + f.activeMax]!,
    values[record + f.activeMin]!,
  );
  writeSpread(
    out,
    at + 74,
    ints[record * 2 + fi.idleCount]!,
    values[record + f.idleSum]!,
    values[record + f.idleSquares]!,
    values[record + f.idleMax]!,
    values[record + f.idleMin]!,
  );
}

function extractImproved2022(
  records: FlowRecords,
  slot: number,
  dstPort: number,
  protocol: number,
  out: Float64Array,
  at: number,
): void {
  const { ints } = records;
  const record = slot * recordWords;
  extractFixed(records, slot, dstPort, protocol, out, at);
  const packets = out[at + 2]! + out[at + 3]!;
  writeUnguardedRates(out, at);
  if (packets === 1) out.fill(Number.NaN, at + 16, at + 20);
  for (let column = 56; column < 62; column++) out[at + column] = Math.trunc(out[at + column]!);
  out[at + 62] = Math.floor(out[at + 2]! / packets);
  out[at + 63] = Math.floor(out[at + 4]! / packets);
  out[at + 64] = Math.floor(out[at + 3]! / packets);
  out[at + 65] = Math.floor(out[at + 5]! / packets);
  out[at + 67] = lastBackwardWindow(ints[record * 2 + fi.backwardWindows]!);
  leaveOutFirstDataPacket(ints, record, out, at);
}

function extractCic2017(
  records: FlowRecords,
  slot: number,
  dstPort: number,
  protocol: number,
  out: Float64Array,
  at: number,
): void {
  const { values, ints } = records;
  const record = slot * recordWords;
  extractFixed(records, slot, dstPort, protocol, out, at);
  const packets = out[at + 2]! + out[at + 3]!;
  const bytes = out[at + 4]! + out[at + 5]!;
  const flags = firstFlags(ints[record * 2 + fi.firstPacket]!);
  writeUnguardedRates(out, at);
  out[at + 30] = bit(flags, tcpFlag.psh);
  out[at + 31] = 0;
  out[at + 32] = bit(flags, tcpFlag.urg);
  out[at + 33] = 0;
  // The first packet's length enters twice.
  const first = ints[record * 2 + fi.firstPayloadBytes]!;
  const squares =
    values[record + f.forward + d.payloadSquares]! + values[record + f.backward + d.payloadSquares]! + first * first;
  const variance = sampleVariance(packets + 1, bytes + first, squares);
  out[at + 40] = (bytes + first) / (packets + 1);
  out[at + 41] = Math.sqrt(variance);
  out[at + 42] = variance;
  // Under FIN, SYN, RST, PSH, ACK, URG, CWE, ECE stand these bits of the first packet.
  out[at + 43] = bit(flags, tcpFlag.rst);
  out[at + 44] = bit(flags, tcpFlag.psh);
  out[at + 45] = bit(flags, tcpFlag.ece);
  out[at + 46] = bit(flags, tcpFlag.syn);
  out[at + 47] = bit(flags, tcpFlag.ack);
  out[at + 48] = bit(flags, tcpFlag.fin);
  out[at + 49] = bit(flags, tcpFlag.urg);
  out[at + 50] = bit(flags, tcpFlag.cwr);
  out[at + 51] = Math.floor(out[at + 51]!);
  out[at + 52] = (bytes + first) / packets;
  out.fill(0, at + 56, at + 62);
  out[at + 62] = out[at + 2]!;
  out[at + 63] = out[at + 4]!;
  out[at + 64] = out[at + 3]!;
  out[at + 65] = out[at + 5]!;
  const isTcp = protocol === ipProtocol.tcp;
  out[at + 66] = isTcp ? firstWindow(ints[record * 2 + fi.firstPacket]!) : -1;
  out[at + 67] = isTcp && out[at + 3]! > 0 ? lastBackwardWindow(ints[record * 2 + fi.backwardWindows]!) : -1;
  leaveOutFirstDataPacket(ints, record, out, at);
}

function writeLengths(values: Float64Array, ints: Int32Array, part: number, out: Float64Array, at: number): void {
  const packets = ints[part * 2 + di.packets]!;
  const bytes = values[part + d.payloadBytes]!;
  out[at] = packets > 0 ? ints[part * 2 + di.payloadMax]! : 0;
  out[at + 1] = packets > 0 ? ints[part * 2 + di.payloadMin]! : 0;
  out[at + 2] = ratio(bytes, packets);
  out[at + 3] = Math.sqrt(sampleVariance(packets, bytes, values[part + d.payloadSquares]!));
}

/** Total, mean, standard deviation, maximum, minimum. */
function writeDirectionIats(values: Float64Array, ints: Int32Array, part: number, out: Float64Array, at: number): void {
  const count = ints[part * 2 + di.packets]! - 1;
  const total = count > 0 ? values[part + d.lastAtUs]! - values[part + d.firstAtUs]! : 0;
  out[at] = total;
  writeSpread(
    out,
    at + 1,
    count,
    total,
    values[part + d.iatSquares]!,
    values[part + d.iatMax]!,
    values[part + d.iatMin]!,
  );
}

/** Bytes per bulk, packets per bulk, bytes per second of bulk. */
function writeBulks(values: Float64Array, ints: Int32Array, part: number, out: Float64Array, at: number): void {
  const bulks = ints[part * 2 + di.bulks]!;
  const bytes = values[part + d.bulkBytes]!;
  out[at] = ratio(bytes, bulks);
  out[at + 1] = ratio(ints[part * 2 + di.bulkPackets]!, bulks);
  out[at + 2] = ratio(bytes, values[part + d.bulkDurationUs]! / 1e6);
}

/** Flow Bytes/s and Flow Packets/s as a plain division, infinite or NaN for a flow without duration. */
function writeUnguardedRates(out: Float64Array, at: number): void {
  const seconds = out[at + 1]! / 1e6;
  out[at + 14] = (out[at + 4]! + out[at + 5]!) / seconds;
  out[at + 15] = (out[at + 2]! + out[at + 3]!) / seconds;
}

function leaveOutFirstDataPacket(ints: Int32Array, record: number, out: Float64Array, at: number): void {
  if (firstIsForward(ints[record * 2 + fi.firstPacket]!) && ints[record * 2 + fi.firstPayloadBytes]! > 0)
    out[at + 68]!--;
}

function ratio(of: number, to: number): number {
  return to === 0 ? 0 : of / to;
}

function bit(flags: number, mask: number): number {
  return (flags & mask) === 0 ? 0 : 1;
}
