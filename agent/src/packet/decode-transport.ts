/** Ports, flags and lengths of the transport header; the last step of decoding a packet. */
import { field, ipProtocol, outcome, type Outcome, type PacketFields } from './packet-fields.ts';

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
): Outcome {
  fields[field.protocol] = protocol;
  if (isLaterFragment) {
    fields[field.laterFragment] = 1;
    return withoutPorts(fields);
  }
  fields[field.laterFragment] = 0;
  let headerBytes = 8;
  if (protocol === ipProtocol.tcp) {
    if (end - at < 16) return outcome.truncated;
    headerBytes = (bytes[at + 12]! >> 4) << 2;
    if (headerBytes < 20) return outcome.malformed;
    fields[field.flags] = bytes[at + 13]!;
    fields[field.window] = (bytes[at + 14]! << 8) | bytes[at + 15]!;
  } else if (protocol === ipProtocol.udp) {
    if (end - at < 8) return outcome.truncated;
    fields[field.flags] = 0;
    fields[field.window] = 0;
  } else {
    return decodeOtherProtocol(bytes, at, end, protocol, fields);
  }
  fields[field.srcPort] = (bytes[at]! << 8) | bytes[at + 1]!;
  fields[field.dstPort] = (bytes[at + 2]! << 8) | bytes[at + 3]!;
  fields[field.headerBytes] = headerBytes;
  const payloadBytes = upperBytes - headerBytes;
  fields[field.payloadBytes] = payloadBytes > 0 ? payloadBytes : 0;
  const paddedBytes = unpaddedIpBytes - ipHeaderBytes - headerBytes;
  fields[field.paddedPayloadBytes] = Math.max(payloadBytes, paddedBytes, 0);
  return outcome.decoded;
}

function decodeOtherProtocol(
  bytes: Uint8Array,
  at: number,
  end: number,
  protocol: number,
  fields: PacketFields,
): Outcome {
  if (protocol === ipProtocol.sctp) {
    if (end - at < 12) return outcome.truncated;
    withoutPorts(fields);
    fields[field.srcPort] = (bytes[at]! << 8) | bytes[at + 1]!;
    fields[field.dstPort] = (bytes[at + 2]! << 8) | bytes[at + 3]!;
    return outcome.decoded;
  }
  withoutPorts(fields);
  if (protocol === ipProtocol.icmp || protocol === ipProtocol.icmp6) {
    if (end - at < 4) return outcome.truncated;
    fields[field.icmpType] = bytes[at]!;
    fields[field.icmpCode] = bytes[at + 1]!;
  }
  return outcome.decoded;
}

function withoutPorts(fields: PacketFields): Outcome {
  fields[field.srcPort] = 0;
  fields[field.dstPort] = 0;
  fields[field.flags] = 0;
  fields[field.window] = 0;
  fields[field.headerBytes] = 0;
  fields[field.payloadBytes] = 0;
  fields[field.paddedPayloadBytes] = 0;
  fields[field.icmpType] = 0;
  fields[field.icmpCode] = 0;
  return outcome.decoded;
}
