/** The two ends of a conversation in one order, whoever speaks, and a hash of them. */
import { field, type PacketFields } from '../packet/packet-fields.ts';
import { keyField } from './flow-table.ts';

/** Write the key of the packet in `fields`; true when its source is the smaller end. `protocol` is the profile's. */
export function writeKey(fields: PacketFields, protocol: number, key: Int32Array): boolean {
  const srcPort = fields[field.srcPort]!;
  const dstPort = fields[field.dstPort]!;
  const family = fields[field.family]!;
  let order = fields[field.srcAddress + 3]! - fields[field.dstAddress + 3]!;
  if (family === 6) {
    for (let word = 2; word >= 0 && order === 0; word--) {
      order = fields[field.srcAddress + word]! - fields[field.dstAddress + word]!;
    }
  }
  if (order === 0) order = srcPort - dstPort;
  const sourceIsLow = order <= 0;
  const low = sourceIsLow ? field.srcAddress : field.dstAddress;
  const high = sourceIsLow ? field.dstAddress : field.srcAddress;
  key[keyField.low] = fields[low]!;
  key[keyField.low + 1] = fields[low + 1]!;
  key[keyField.low + 2] = fields[low + 2]!;
  key[keyField.low + 3] = fields[low + 3]!;
  key[keyField.high] = fields[high]!;
  key[keyField.high + 1] = fields[high + 1]!;
  key[keyField.high + 2] = fields[high + 2]!;
  key[keyField.high + 3] = fields[high + 3]!;
  key[keyField.ports] = sourceIsLow ? (srcPort << 16) | dstPort : (dstPort << 16) | srcPort;
  key[keyField.protocolAndFamily] = (protocol << 8) | family;
  return sourceIsLow;
}

/** 32 bits; the seed is secret, so that nobody can aim at one place of the table. */
export function hashKey(key: Int32Array, seed: number): number {
  let hash = Math.imul(key[keyField.low + 3]! ^ seed, 0x9e3779b1);
  hash = Math.imul(hash ^ (hash >>> 15) ^ key[keyField.high + 3]!, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13) ^ key[keyField.ports]!, 0xc2b2ae35);
  hash = Math.imul(hash ^ (hash >>> 16) ^ key[keyField.protocolAndFamily]!, 0x27d4eb2f);
  if ((key[keyField.protocolAndFamily]! & 0xff) === 6) {
    for (let word = 0; word < 3; word++) {
      hash = Math.imul(hash ^ (hash >>> 15) ^ key[keyField.low + word]!, 0x9e3779b1);
      hash = Math.imul(hash ^ (hash >>> 13) ^ key[keyField.high + word]!, 0x85ebca6b);
    }
  }
  return hash ^ (hash >>> 16);
}
