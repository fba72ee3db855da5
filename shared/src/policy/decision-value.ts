/**
 * What a decision may name. Agent and controller read the value with the same code, and both refuse what would cut
 * more than an attack: the agent even against the controller. Addresses are parsed here, strictly, because `nft` would
 * take a host name for an address and look it up.
 */
import ipaddr from 'ipaddr.js';
import type { DecisionAction, DecisionScope } from '../contract/decision.ts';
import { MacAddress } from '../contract/address.ts';

/** Narrowest prefix lengths that a decision may cover: 65,536 hosts of IPv4, one site of IPv6. */
export const widestPrefix = { ipv4: 16, ipv6: 48 } as const;

export type AddressFamily = 'ipv4' | 'ipv6';
export interface AddressPart {
  readonly family: AddressFamily;
  readonly address: string;
}
export interface PortPart {
  readonly protocol: 'tcp' | 'udp';
  readonly port: number;
}

export type DecisionTarget =
  | ({ readonly scope: 'ip' } & AddressPart)
  | { readonly scope: 'cidr'; readonly family: AddressFamily; readonly network: string; readonly prefix: number }
  | ({ readonly scope: 'port' } & PortPart)
  | ({ readonly scope: 'ip+port' } & AddressPart & PortPart)
  | { readonly scope: 'device'; readonly mac: string }
  | ({ readonly scope: 'device'; readonly mac?: never } & AddressPart)
  | { readonly scope: 'pair'; readonly family: AddressFamily; readonly peer: string; readonly device: string };

export type ParsedDecisionValue =
  | { readonly ok: true; readonly target: DecisionTarget; /** Canonical text. */ readonly value: string }
  | { readonly ok: false; readonly reason: string };

const octet = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)';
const fourPartDecimal = new RegExp(`^${octet}(?:\\.${octet}){3}$`);

/** Canonical text of an address, or why it may not be one. Mapped IPv4 becomes IPv4. */
export function parseAddress(
  text: string,
): (AddressPart & { readonly ok: true }) | { readonly ok: false; readonly reason: string } {
  // its own canonical text; ten thousand of them come at once
  if (fourPartDecimal.test(text)) return { ok: true, family: 'ipv4', address: text };
  if (!text.includes(':') || text.includes('%') || !ipaddr.IPv6.isValid(text))
    return { ok: false, reason: `"${text}" is not an IPv4 or IPv6 address` };
  const address = ipaddr.process(text);
  return {
    ok: true,
    family: address.kind(),
    address: address.kind() === 'ipv6' ? (address as ipaddr.IPv6).toRFC5952String() : address.toString(),
  };
}

const neverATarget: Readonly<Record<string, string>> = {
  unspecified: 'the unspecified address stands for every host',
  loopback: 'a loopback address is the gateway itself',
  multicast: 'a multicast address is no host',
  broadcast: 'the broadcast address is no host',
};

function hostProblem(part: AddressPart): string | undefined {
  if (part.family === 'ipv4') {
    const first = Number.parseInt(part.address, 10);
    if (first > 0 && first !== 127 && first < 224) return undefined;
    // a prefix among them may hold the address that a device without one asks for its own by
    if (first >= 240 && part.address !== '255.255.255.255') return 'addresses from 240.0.0.0 on are no hosts';
  }
  return neverATarget[ipaddr.parse(part.address).range()];
}

function parseHost(
  text: string,
): (AddressPart & { readonly ok: true }) | { readonly ok: false; readonly reason: string } {
  const parsed = parseAddress(text);
  if (!parsed.ok) return parsed;
  const problem = hostProblem(parsed);
  return problem === undefined ? parsed : { ok: false, reason: `${parsed.address}: ${problem}` };
}

function parsePort(text: string): (PortPart & { readonly ok: true }) | { readonly ok: false; readonly reason: string } {
  const match = /^(tcp|udp)\/(\d{1,5})$/.exec(text);
  const port = Number(match?.[2]);
  if (match === null || port < 1 || port > 65535)
    return { ok: false, reason: `"${text}" is not a port; write tcp/22 or udp/53` };
  return { ok: true, protocol: match[1] as 'tcp' | 'udp', port };
}

function parseCidr(text: string): ParsedDecisionValue {
  const [addressText, prefixText, ...rest] = text.split('/');
  const parsed = parseAddress(addressText ?? '');
  if (!parsed.ok) return parsed;
  const prefix = Number(prefixText);
  const longest = parsed.family === 'ipv4' ? 32 : 128;
  if (rest.length > 0 || !/^\d{1,3}$/.test(prefixText ?? '') || prefix > longest)
    return { ok: false, reason: `"${text}" is not a prefix; write 192.0.2.0/24 or 2001:db8::/64` };
  if (prefix < widestPrefix[parsed.family]) {
    return {
      ok: false,
      reason: `/${prefix} is too wide: at most /${widestPrefix[parsed.family]} may be restricted at once`,
    };
  }
  const parser = parsed.family === 'ipv4' ? ipaddr.IPv4 : ipaddr.IPv6;
  const first = parser.networkAddressFromCIDR(`${parsed.address}/${prefix}`);
  const network = first.kind() === 'ipv6' ? (first as ipaddr.IPv6).toRFC5952String() : first.toString();
  const problem = hostProblem({ family: parsed.family, address: network });
  if (problem !== undefined) return { ok: false, reason: `${network}/${prefix}: ${problem}` };
  return { ok: true, target: { scope: 'cidr', family: parsed.family, network, prefix }, value: `${network}/${prefix}` };
}

/** Reads `value` as `scope` demands. The reason of a refusal is for people. */
export function parseDecisionValue(scope: DecisionScope, value: string): ParsedDecisionValue {
  switch (scope) {
    case 'ip': {
      const host = parseHost(value);
      return host.ok
        ? { ok: true, target: { scope, family: host.family, address: host.address }, value: host.address }
        : host;
    }
    case 'cidr':
      return parseCidr(value);
    case 'port': {
      const port = parsePort(value);
      return port.ok
        ? {
            ok: true,
            target: { scope, protocol: port.protocol, port: port.port },
            value: `${port.protocol}/${port.port}`,
          }
        : port;
    }
    case 'ip+port': {
      const [hostText = '', portText = ''] = value.split(' ');
      const host = parseHost(hostText);
      if (!host.ok) return host;
      const port = parsePort(portText);
      if (!port.ok) return port;
      return {
        ok: true,
        target: { scope, family: host.family, address: host.address, protocol: port.protocol, port: port.port },
        value: `${host.address} ${port.protocol}/${port.port}`,
      };
    }
    case 'device': {
      const mac = MacAddress.safeParse(value.toLowerCase());
      if (mac.success) {
        if (Number.parseInt(mac.data.slice(0, 2), 16) % 2 === 1)
          return { ok: false, reason: `${mac.data} is a group address, no device` };
        return { ok: true, target: { scope, mac: mac.data }, value: mac.data };
      }
      const host = parseHost(value);
      return host.ok
        ? { ok: true, target: { scope, family: host.family, address: host.address }, value: host.address }
        : { ok: false, reason: `"${value}" is neither a MAC nor an address of a device` };
    }
    case 'pair': {
      const [peerText = '', deviceText = '', ...rest] = value.split(' ');
      const peer = parseHost(peerText);
      if (!peer.ok) return peer;
      const device = parseHost(deviceText);
      if (!device.ok) return device;
      if (rest.length > 0 || peer.family !== device.family)
        return { ok: false, reason: 'a pair is two addresses of one family: peer, then device' };
      return {
        ok: true,
        target: { scope, family: peer.family, peer: peer.address, device: device.address },
        value: `${peer.address} ${device.address}`,
      };
    }
  }
}

/** Why this action does not go with this scope, for people; undefined where it does. */
export function actionProblem(action: DecisionAction, scope: DecisionScope): string | undefined {
  if (scope === 'device' || (action !== 'quarantine' && action !== 'no_wan')) return undefined;
  return action === 'quarantine'
    ? 'only a device can be quarantined; block the address instead'
    : 'only a device has a WAN to lose; name one by its MAC or address';
}
