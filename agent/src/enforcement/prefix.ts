/** Prefixes of the guard: hosts and networks as the owner writes them, read strictly and compared as bytes. */
import ipaddr from 'ipaddr.js';
import { parseAddress, type AddressFamily } from '@picket/shared/policy/decision-value';

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
  const longest = address.family === 'ipv4' ? 32 : 128;
  const length = lengthText === undefined ? longest : Number(lengthText);
  if ((lengthText !== undefined && !/^\d{1,3}$/.test(lengthText)) || length > longest) return undefined;
  const bytes = ipaddr
    .parse(address.address)
    .toByteArray()
    .map((byte, index) => byte & maskByte(length, index));
  const network = ipaddr.fromByteArray(bytes);
  return {
    family: address.family,
    network: network.kind() === 'ipv6' ? (network as ipaddr.IPv6).toRFC5952String() : network.toString(),
    length,
    bytes,
  };
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
  return (
    outer.family === inner.family &&
    outer.length <= inner.length &&
    outer.bytes.every((byte, index) => byte === ((inner.bytes[index] ?? 0) & maskByte(outer.length, index)))
  );
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
  const bytes = Array.from({ length: family === 'ipv4' ? 4 : 16 }, (_, index) => maskByte(length, index));
  const mask = ipaddr.fromByteArray(bytes);
  return mask.kind() === 'ipv6' ? (mask as ipaddr.IPv6).toRFC5952String() : mask.toString();
}

function maskByte(length: number, index: number): number {
  const bits = Math.min(Math.max(length - index * 8, 0), 8);
  return (0xff << (8 - bits)) & 0xff;
}
