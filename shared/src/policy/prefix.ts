/** Prefixes: hosts and networks as people write them, read strictly and compared as bytes. Agent and controller alike. */
import ipaddr from 'ipaddr.js';
import { parseAddress, type AddressFamily } from './decision-value.ts';

const [dot, zero] = ['.'.charCodeAt(0), '0'.charCodeAt(0)];

export interface Prefix {
  readonly family: AddressFamily;
  /** Canonical text of the first address. */
  readonly network: string;
  readonly length: number;
  readonly bytes: readonly number[];
}

/** `192.0.2.7`, `192.0.2.0/24`, `2001:db8::/32`; bits of the host are cleared. Undefined for anything else. */
export function parsePrefix(text: string): Prefix | undefined {
  const [addressText = '', lengthText, ...rest] = text.split('/');
  const address = parseAddress(addressText);
  if (!address.ok || rest.length > 0) return undefined;
  const longest = longestOf(address.family);
  const length = lengthText === undefined ? longest : Number(lengthText);
  if ((lengthText !== undefined && !/^\d{1,3}$/.test(lengthText)) || length > longest) return undefined;
  const host = bytesOf(address.family, address.address);
  if (length === longest) return { family: address.family, network: address.address, length, bytes: host };
  const bytes = host.map((byte, index) => byte & maskByte(length, index));
  return { family: address.family, network: textOf(bytes), length, bytes };
}

/** The prefix of one host, whose text is canonical already: that of a decision's target, of which thousands come at once. */
export function hostPrefix(address: string): Prefix {
  const family = address.includes(':') ? 'ipv6' : 'ipv4';
  return { family, network: address, length: longestOf(family), bytes: bytesOf(family, address) };
}

/** Like `parsePrefix`; throws and names the text where it is none. */
export function mustParsePrefix(text: string): Prefix {
  const prefix = parsePrefix(text);
  if (prefix === undefined) {
    throw new Error(`guard: "${text}" is neither an address nor a prefix; write 192.0.2.7 or 192.0.2.0/24`);
  }
  return prefix;
}

/** Does `outer` hold every address of `inner`? */
export function contains(outer: Prefix, inner: Prefix): boolean {
  if (outer.family !== inner.family || outer.length > inner.length) return false;
  for (let index = 0; index * 8 < outer.length; index++) {
    if (outer.bytes[index] !== (inner.bytes[index]! & maskByte(outer.length, index))) return false;
  }
  return true;
}

/** Without those that others hold already: prefixes nest or are apart, and the kernel refuses those that overlap. */
export function withoutContained(prefixes: readonly Prefix[]): readonly Prefix[] {
  const kept: Prefix[] = [];
  for (const prefix of prefixes.toSorted((a, b) => a.length - b.length)) {
    if (!kept.some((outer) => contains(outer, prefix))) kept.push(prefix);
  }
  return kept;
}

/** `255.255.255.0` or `ffff:ffff::`. */
export function maskText(family: AddressFamily, length: number): string {
  return textOf(Array.from({ length: longestOf(family) / 8 }, (_, index) => maskByte(length, index)));
}

/** Bits of an address of this family. */
export function longestOf(family: AddressFamily): 32 | 128 {
  return family === 'ipv4' ? 32 : 128;
}

function bytesOf(family: AddressFamily, address: string): readonly number[] {
  return family === 'ipv4' ? ipv4Bytes(address) : ipaddr.parse(address).toByteArray();
}

/** Of canonical text; a quarter of what splitting it takes. */
function ipv4Bytes(address: string): readonly number[] {
  const bytes = [0, 0, 0, 0];
  let index = 0;
  for (let at = 0; at < address.length; at++) {
    const code = address.charCodeAt(at);
    if (code === dot) index++;
    else bytes[index] = bytes[index]! * 10 + (code - zero);
  }
  return bytes;
}

function textOf(bytes: readonly number[]): string {
  const address = ipaddr.fromByteArray([...bytes]);
  return address.kind() === 'ipv6' ? (address as ipaddr.IPv6).toRFC5952String() : address.toString();
}

function maskByte(length: number, index: number): number {
  const bits = Math.min(Math.max(length - index * 8, 0), 8);
  return (0xff << (8 - bits)) & 0xff;
}
