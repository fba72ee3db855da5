/** Which addresses are the LAN's, and which stand for no single host; read from the bytes of a flow batch. */
import ipaddr from 'ipaddr.js';

/** RFC 1918, unique local and link-local addresses. */
export const defaultLanPrefixes: readonly string[] = [
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '169.254.0.0/16',
  'fc00::/7',
  'fe80::/10',
];

interface Prefix {
  readonly family: number;
  /** 16 bytes, IPv4 in the last four. */
  readonly network: Uint8Array;
  /** Where the address begins in those 16 bytes. */
  readonly firstByte: number;
  readonly length: number;
}

export class LanPrefixes {
  readonly #prefixes: readonly Prefix[];

  /** Throws, naming the text, where one is no prefix. */
  constructor(texts: readonly string[]) {
    this.#prefixes = texts.map(parsePrefix);
  }

  /** Is the address at `bytes[row * 16 …]` inside? */
  contains(bytes: Uint8Array, row: number, family: number): boolean {
    for (const prefix of this.#prefixes) if (prefix.family === family && covers(prefix, bytes, row * 16)) return true;
    return false;
  }
}

/** True for multicast, limited broadcast and the unspecified address. */
export function isNoHost(bytes: Uint8Array, row: number, family: number): boolean {
  const start = row * 16;
  if (family === 4) {
    const first = bytes[start + 12]!;
    if (first >= 224 && first < 240) return true;
    return areAll(bytes, start + 12, start + 16, 0) || areAll(bytes, start + 12, start + 16, 255);
  }
  return bytes[start] === 0xff || areAll(bytes, start, start + 16, 0);
}

/** Nobody on a network has such an address: a host speaks to itself there, or a sender lied. */
export function isLoopback(bytes: Uint8Array, row: number, family: number): boolean {
  const start = row * 16;
  if (family === 4) return bytes[start + 12] === 127;
  return areAll(bytes, start, start + 15, 0) && bytes[start + 15] === 1;
}

function areAll(bytes: Uint8Array, from: number, to: number, value: number): boolean {
  for (let at = from; at < to; at++) if (bytes[at] !== value) return false;
  return true;
}

function parsePrefix(text: string): Prefix {
  if (!ipaddr.isValidCIDR(text)) {
    throw new Error(`LAN prefix "${text}" is not a prefix; write 192.168.0.0/16 or fd00::/8`);
  }
  const [address, length] = ipaddr.parseCIDR(text);
  const octets = address.toByteArray();
  const network = new Uint8Array(16);
  network.set(octets, 16 - octets.length);
  return { family: octets.length === 4 ? 4 : 6, network, firstByte: 16 - octets.length, length };
}

function covers(prefix: Prefix, bytes: Uint8Array, start: number): boolean {
  let bits = prefix.length;
  for (let index = prefix.firstByte; bits > 0; index++, bits -= 8) {
    const mask = bits >= 8 ? 0xff : (0xff << (8 - bits)) & 0xff;
    if (((bytes[start + index]! ^ prefix.network[index]!) & mask) !== 0) return false;
  }
  return true;
}
