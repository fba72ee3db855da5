/** The two ends of a conversation in one order, whoever speaks, and a hash of them. */
import { field, type PacketFields } from '../packet/packet-fields.ts';

const p = field;

/** Offsets in a key. An IPv4 conversation is told by the first four words. */
export const keyField = {
  /** Last words of the smaller end's address and of the larger one's, as signed numbers. */
  low: 0,
  high: 1,
  /** Port of the smaller end in the upper half. */
  ports: 2,
  /** Protocol as the profile tells it apart, and the IP family. */
  protocolAndFamily: 3,
  /** The first three words of the smaller address, then those of the larger one; IPv6 only. */
  rest: 4,
} as const;

export const keyWords = 10;

const k = keyField;

/**
 * Write the key of the packet in `row` to `keys` at `at`; true when its source is the smaller end. `protocol` is the
 * profile's. An IPv4 key ends before `rest`.
 */
export function writeKey(packets: PacketFields, row: number, protocol: number, keys: Int32Array, at: number): boolean {
  const srcPort = packets[row + p.srcPort]!;
  const dstPort = packets[row + p.dstPort]!;
  const family = packets[row + p.family]!;
  const src = packets[row + p.srcAddress + 3]!;
  const dst = packets[row + p.dstAddress + 3]!;
  let order = src - dst;
  if (family === 6) {
    for (let word = 2; word >= 0 && order === 0; word--) {
      order = packets[row + p.srcAddress + word]! - packets[row + p.dstAddress + word]!;
    }
  }
  if (order === 0) order = srcPort - dstPort;
  const sourceIsLow = order <= 0;
  keys[at + k.low] = sourceIsLow ? src : dst;
  keys[at + k.high] = sourceIsLow ? dst : src;
  keys[at + k.ports] = sourceIsLow ? (srcPort << 16) | dstPort : (dstPort << 16) | srcPort;
  keys[at + k.protocolAndFamily] = (protocol << 8) | family;
  if (family === 6) {
    const low = row + (sourceIsLow ? p.srcAddress : p.dstAddress);
    const high = row + (sourceIsLow ? p.dstAddress : p.srcAddress);
    for (let word = 0; word < 3; word++) {
      keys[at + k.rest + word] = packets[low + word]!;
      keys[at + k.rest + 3 + word] = packets[high + word]!;
    }
  }
  return sourceIsLow;
}

/** 32 bits; the seed is secret, so that nobody can aim at one place of the table. */
export function hashKey(keys: Int32Array, at: number, seed: number): number {
  let hash = Math.imul(keys[at + k.low]! ^ seed, 0x9e3779b1);
  hash = Math.imul(hash ^ (hash >>> 15) ^ keys[at + k.high]!, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13) ^ keys[at + k.ports]!, 0xc2b2ae35);
  hash = Math.imul(hash ^ (hash >>> 16) ^ keys[at + k.protocolAndFamily]!, 0x27d4eb2f);
  if ((keys[at + k.protocolAndFamily]! & 0xff) === 6) {
    for (let word = 0; word < 3; word++) {
      hash = Math.imul(hash ^ (hash >>> 15) ^ keys[at + k.rest + word]!, 0x9e3779b1);
      hash = Math.imul(hash ^ (hash >>> 13) ^ keys[at + k.rest + 3 + word]!, 0x85ebca6b);
    }
  }
  return hash ^ (hash >>> 16);
}
