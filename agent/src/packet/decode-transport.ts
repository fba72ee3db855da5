/** Ports, flags and lengths of the transport header; the last step of decoding a packet. */
import { field, ipProtocol, outcome, type Outcome, type PacketFields } from './packet-fields.ts';

// Constants of the file are compiled in, imports are looked up at each use: see flow/flow-record.ts.
const p = field;
const came = outcome;
const ip = ipProtocol;

/** The shortest IP datagram that an Ethernet frame is not padded for. */
const unpaddedIpBytes = 46;

/**
 * Decode the transport header at `at`. `upperBytes` is what the IP header says of header and payload together;
 * `ipHeaderBytes` counts IPv6 extension headers in.
 */
export function decodeTransport(
  bytes: Uint8Array,
  at: number,
  end: number,
  protocol: number,
  isLaterFragment: boolean,
  upperBytes: number,
  ipHeaderBytes: number,
  fields: PacketFields,
  row: number,
): Outcome {
  fields[row + p.protocol] = protocol;
  if (isLaterFragment) {
    fields[row + p.laterFragment] = 1;
    return withoutPorts(fields, row);
  }
  fields[row + p.laterFragment] = 0;
  let headerBytes = 8;
  if (protocol === ip.tcp) {
    if (end - at < 16) return came.truncated;
    headerBytes = (bytes[at + 12]! >> 4) << 2;
    if (headerBytes < 20) return came.malformed;
    fields[row + p.flags] = bytes[at + 13]!;
    fields[row + p.window] = (bytes[at + 14]! << 8) | bytes[at + 15]!;
  } else if (protocol === ip.udp) {
    if (end - at < 8) return came.truncated;
    fields[row + p.flags] = 0;
    fields[row + p.window] = 0;
  } else {
    return decodeOtherProtocol(bytes, at, end, protocol, fields, row);
  }
  fields[row + p.srcPort] = (bytes[at]! << 8) | bytes[at + 1]!;
  fields[row + p.dstPort] = (bytes[at + 2]! << 8) | bytes[at + 3]!;
  fields[row + p.headerBytes] = headerBytes;
  const payloadBytes = upperBytes - headerBytes;
  fields[row + p.payloadBytes] = payloadBytes > 0 ? payloadBytes : 0;
  const paddedBytes = unpaddedIpBytes - ipHeaderBytes - headerBytes;
  fields[row + p.paddedPayloadBytes] = Math.max(payloadBytes, paddedBytes, 0);
  return came.decoded;
}

function decodeOtherProtocol(
  bytes: Uint8Array,
  at: number,
  end: number,
  protocol: number,
  fields: PacketFields,
  row: number,
): Outcome {
  if (protocol === ip.sctp) {
    if (end - at < 12) return came.truncated;
    withoutPorts(fields, row);
    fields[row + p.srcPort] = (bytes[at]! << 8) | bytes[at + 1]!;
    fields[row + p.dstPort] = (bytes[at + 2]! << 8) | bytes[at + 3]!;
    return came.decoded;
  }
  withoutPorts(fields, row);
  if (protocol === ip.icmp || protocol === ip.icmp6) {
    if (end - at < 4) return came.truncated;
    fields[row + p.icmpType] = bytes[at]!;
    fields[row + p.icmpCode] = bytes[at + 1]!;
  }
  return came.decoded;
}

function withoutPorts(fields: PacketFields, row: number): Outcome {
  fields[row + p.srcPort] = 0;
  fields[row + p.dstPort] = 0;
  fields[row + p.flags] = 0;
  fields[row + p.window] = 0;
  fields[row + p.headerBytes] = 0;
  fields[row + p.payloadBytes] = 0;
  fields[row + p.paddedPayloadBytes] = 0;
  fields[row + p.icmpType] = 0;
  fields[row + p.icmpCode] = 0;
  return came.decoded;
}
