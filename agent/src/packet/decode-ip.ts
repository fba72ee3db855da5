/** IPv4 and IPv6: addresses, lengths, fragments, and where the transport header begins. */
import { decodeTransport } from './decode-transport.ts';
import { field, outcome, type Outcome, type PacketFields } from './packet-fields.ts';

// Constants of the file are compiled in, imports are looked up at each use: see flow/flow-record.ts.
const p = field;
const came = outcome;

const maxExtensionHeaders = 8;

/** Decode the IPv4 datagram at `at`; captured bytes end at `end`, the frame itself at `wireEnd`. */
export function decodeIpv4(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  end: number,
  wireEnd: number,
  fields: PacketFields,
  row: number,
): Outcome {
  if (end - at < 20) return came.truncated;
  const headerBytes = (bytes[at]! & 15) << 2;
  if (bytes[at]! >> 4 !== 4 || headerBytes < 20) return came.malformed;
  let totalBytes = (bytes[at + 2]! << 8) | bytes[at + 3]!;
  // A segmentation offload leaves 0; nobody can claim more than the frame holds.
  if (totalBytes === 0 || totalBytes > wireEnd - at) totalBytes = wireEnd - at;
  if (totalBytes < headerBytes) return came.malformed;
  fields[row + p.family] = 4;
  fields[row + p.srcAddress] = 0;
  fields[row + p.srcAddress + 1] = 0;
  fields[row + p.srcAddress + 2] = 0;
  fields[row + p.srcAddress + 3] = view.getInt32(at + 12);
  fields[row + p.dstAddress] = 0;
  fields[row + p.dstAddress + 1] = 0;
  fields[row + p.dstAddress + 2] = 0;
  fields[row + p.dstAddress + 3] = view.getInt32(at + 16);
  const isLaterFragment = (((bytes[at + 6]! & 0x1f) << 8) | bytes[at + 7]!) !== 0;
  return decodeTransport(
    bytes,
    at + headerBytes,
    end,
    bytes[at + 9]!,
    isLaterFragment,
    totalBytes - headerBytes,
    headerBytes,
    fields,
    row,
  );
}

/** Decode the IPv6 packet at `at`, past its extension headers. */
export function decodeIpv6(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  end: number,
  wireEnd: number,
  fields: PacketFields,
  row: number,
): Outcome {
  if (end - at < 40) return came.truncated;
  if (bytes[at]! >> 4 !== 6) return came.malformed;
  let upperBytes = (bytes[at + 4]! << 8) | bytes[at + 5]!;
  if (upperBytes === 0 || upperBytes > wireEnd - at - 40) upperBytes = wireEnd - at - 40;
  fields[row + p.family] = 6;
  for (let word = 0; word < 4; word++) {
    fields[row + p.srcAddress + word] = view.getInt32(at + 8 + 4 * word);
    fields[row + p.dstAddress + word] = view.getInt32(at + 24 + 4 * word);
  }
  let protocol = bytes[at + 6]!;
  let transport = at + 40;
  let isLaterFragment = false;
  for (let headers = 0; isExtension(protocol) && !isLaterFragment; headers++) {
    if (headers === maxExtensionHeaders) return came.malformed;
    if (end - transport < 8) return came.truncated;
    let size = (bytes[transport + 1]! + 1) << 3;
    if (protocol === 51) size = (bytes[transport + 1]! + 2) << 2;
    if (protocol === 44) {
      size = 8;
      isLaterFragment = ((bytes[transport + 2]! << 8) | (bytes[transport + 3]! & 0xf8)) !== 0;
    }
    protocol = bytes[transport]!;
    transport += size;
    upperBytes -= size;
  }
  if (upperBytes < 0) return came.malformed;
  return decodeTransport(bytes, transport, end, protocol, isLaterFragment, upperBytes, transport - at, fields, row);
}

/** Hop-by-hop, routing, fragment, authentication, destination, mobility, HIP and shim6 headers. */
function isExtension(protocol: number): boolean {
  return (
    protocol === 0 ||
    protocol === 43 ||
    protocol === 44 ||
    protocol === 51 ||
    protocol === 60 ||
    protocol === 135 ||
    protocol === 139 ||
    protocol === 140
  );
}
