/** Finds the IP datagram in a captured frame, whatever link it was captured on. Never throws: hostile bytes are data. */
import { decodeIpv4, decodeIpv6 } from './decode-ip.ts';
import { field, outcome, type Outcome, type PacketFields } from './packet-fields.ts';

// Constants of the file are compiled in, imports are looked up at each use: see flow/flow-record.ts.
const p = field;
const came = outcome;

/** LINKTYPE_ numbers that are decoded. */
export const linkType = {
  null: 0,
  ethernet: 1,
  raw: 101,
  loop: 108,
  linuxCooked: 113,
  ipv4: 228,
  ipv6: 229,
  linuxCooked2: 276,
} as const;

const etherIpv4 = 0x0800;
const etherIpv6 = 0x86dd;
const etherPppoe = 0x8864;
const maxTags = 4;

/**
 * Decode the frame of `length` captured bytes at `start` into the row of `fields` that begins at `row`. `wireLength` is what it had on the wire; it
 * stands in where a segmentation offload left the IP length 0. `view` covers the same bytes as `bytes`.
 */
export function decodePacket(
  bytes: Uint8Array,
  view: DataView,
  start: number,
  length: number,
  wireLength: number,
  link: number,
  fields: PacketFields,
  row: number,
): Outcome {
  const end = start + length;
  const wireEnd = start + (wireLength > length ? wireLength : length);
  if (link === linkType.ethernet) {
    if (length < 14) return came.truncated;
    fields[row + p.dstMacOffset] = start;
    fields[row + p.srcMacOffset] = start + 6;
    const etherType = (bytes[start + 12]! << 8) | bytes[start + 13]!;
    if (etherType === etherIpv4) return decodeIpv4(bytes, view, start + 14, end, wireEnd, fields, row);
    return decodeEtherType(bytes, view, etherType, start + 14, end, wireEnd, fields, row);
  }
  return decodeOtherLink(bytes, view, start, end, wireEnd, link, fields, row);
}

function decodeEtherType(
  bytes: Uint8Array,
  view: DataView,
  firstType: number,
  from: number,
  end: number,
  wireEnd: number,
  fields: PacketFields,
  row: number,
): Outcome {
  let etherType = firstType;
  let at = from;
  for (let tags = 0; etherType === 0x8100 || etherType === 0x88a8 || etherType === 0x9100; tags++) {
    if (tags === maxTags) return came.malformed;
    if (end - at < 4) return came.truncated;
    etherType = (bytes[at + 2]! << 8) | bytes[at + 3]!;
    at += 4;
  }
  if (etherType === etherIpv4) return decodeIpv4(bytes, view, at, end, wireEnd, fields, row);
  if (etherType === etherIpv6) return decodeIpv6(bytes, view, at, end, wireEnd, fields, row);
  if (etherType !== etherPppoe) return came.notIp;
  if (end - at < 8) return came.truncated;
  const pppProtocol = (bytes[at + 6]! << 8) | bytes[at + 7]!;
  if (pppProtocol === 0x0021) return decodeIpv4(bytes, view, at + 8, end, wireEnd, fields, row);
  if (pppProtocol === 0x0057) return decodeIpv6(bytes, view, at + 8, end, wireEnd, fields, row);
  return came.notIp;
}

function decodeOtherLink(
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
  wireEnd: number,
  link: number,
  fields: PacketFields,
  row: number,
): Outcome {
  fields[row + p.dstMacOffset] = -1;
  fields[row + p.srcMacOffset] = -1;
  if (link === linkType.linuxCooked) {
    if (end - start < 16) return came.truncated;
    if (bytes[start + 5] === 6) fields[row + p.srcMacOffset] = start + 6;
    const etherType = (bytes[start + 14]! << 8) | bytes[start + 15]!;
    return decodeEtherType(bytes, view, etherType, start + 16, end, wireEnd, fields, row);
  }
  if (link === linkType.linuxCooked2) {
    if (end - start < 20) return came.truncated;
    if (bytes[start + 11] === 6) fields[row + p.srcMacOffset] = start + 12;
    const etherType = (bytes[start]! << 8) | bytes[start + 1]!;
    return decodeEtherType(bytes, view, etherType, start + 20, end, wireEnd, fields, row);
  }
  if (link === linkType.null || link === linkType.loop) {
    if (end - start < 4) return came.truncated;
    // The family number has the byte order of whoever captured it; it is below 256 either way.
    const family = bytes[start]! | bytes[start + 3]!;
    if (family === 2) return decodeIpv4(bytes, view, start + 4, end, wireEnd, fields, row);
    if (family === 24 || family === 28 || family === 30 || family === 10) {
      return decodeIpv6(bytes, view, start + 4, end, wireEnd, fields, row);
    }
    return came.notIp;
  }
  // 12 and 14 are what some systems write for raw IP.
  const isRaw = link === linkType.raw || link === 12 || link === 14;
  if (!isRaw && link !== linkType.ipv4 && link !== linkType.ipv6) return came.unsupportedLink;
  if (end - start < 1) return came.truncated;
  const version = bytes[start]! >> 4;
  if (version === 4) return decodeIpv4(bytes, view, start, end, wireEnd, fields, row);
  return version === 6 ? decodeIpv6(bytes, view, start, end, wireEnd, fields, row) : came.malformed;
}
