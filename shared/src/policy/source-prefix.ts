/**
 * Who an address stands for. One host of IPv6 has as many addresses as it likes within its /64, so an outside one
 * stands for its /64; and where many hosts of one network attack together, the network is what attacks.
 */
import ipaddr from 'ipaddr.js';
import { parseAddress } from './decision-value.ts';

/** Prefix lengths that a whole network is taken for: never wider, whatever attacks. */
export const networkLength = { ipv4: 24, ipv6: 56 } as const;
const hostLength = { ipv4: 32, ipv6: 64 } as const;
/** So many sources of one network, each proven by conversations that cannot be forged, are the network. */
export const minNetworkSources = 5;

/** An address, or a prefix with its length. */
export interface Source {
  readonly scope: 'ip' | 'cidr';
  readonly value: string;
}

/**
 * Networks of IPv6 in which every address is another host's: a translator (RFC 6052, 8215) stands for the whole of
 * IPv4 in them. Whoever cut a /64 of them would cut millions.
 */
const oneHostEach = ['64:ff9b::/96', '64:ff9b:1::/48'].map((text) => ipaddr.IPv6.parseCIDR(text));

/** The outside host behind an address: itself for IPv4, its /64 for IPv6. Texts that are no address stand for themselves. */
export function outsideSource(address: string): Source {
  return sourceWithin(address, hostLength);
}

/** The network around an address, as wide as an answer to many attackers may become. */
export function networkAround(address: string): Source {
  return sourceWithin(address, networkLength);
}

function sourceWithin(address: string, lengths: typeof hostLength | typeof networkLength): Source {
  const parsed = parseAddress(address);
  if (!parsed.ok) return { scope: 'ip', value: address };
  const length = lengths[parsed.family];
  if (parsed.family === 'ipv4' && length === 32) return { scope: 'ip', value: parsed.address };
  if (parsed.family === 'ipv6' && isTranslated(parsed.address)) return { scope: 'ip', value: parsed.address };
  const parser = parsed.family === 'ipv4' ? ipaddr.IPv4 : ipaddr.IPv6;
  const network = parser.networkAddressFromCIDR(`${parsed.address}/${length}`);
  const text = network.kind() === 'ipv6' ? (network as ipaddr.IPv6).toRFC5952String() : network.toString();
  return { scope: 'cidr', value: `${text}/${length}` };
}

function isTranslated(address: string): boolean {
  if (!address.startsWith('64:ff9b:')) return false; // canonical text
  const parsed = ipaddr.IPv6.parse(address);
  return oneHostEach.some((network) => parsed.match(network));
}
