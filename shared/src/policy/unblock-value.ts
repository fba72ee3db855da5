/** Which decisions restrict an address, a prefix or a MAC that somebody wants released. Agent and controller alike. */
import { MacAddress } from '../contract/address.ts';
import type { DecisionTarget } from './decision-value.ts';
import { contains, longestOf, parsePrefix, type Prefix } from './prefix.ts';

export type UnblockValue =
  | { readonly kind: 'network'; readonly prefix: Prefix }
  | { readonly kind: 'mac'; readonly mac: string };

export type ParsedUnblockValue =
  | { readonly ok: true; readonly wanted: UnblockValue; /** Canonical text. */ readonly value: string }
  | { readonly ok: false; readonly reason: string };

/** An address, a prefix or a MAC. */
export function parseUnblockValue(text: string): ParsedUnblockValue {
  const mac = MacAddress.safeParse(text.toLowerCase());
  if (mac.success) return { ok: true, wanted: { kind: 'mac', mac: mac.data }, value: mac.data };
  const prefix = parsePrefix(text);
  if (prefix === undefined) return { ok: false, reason: `"${text}" is no address, prefix or MAC; write 192.0.2.7` };
  const value = prefix.length === longestOf(prefix.family) ? prefix.network : `${prefix.network}/${prefix.length}`;
  return { ok: true, wanted: { kind: 'network', prefix }, value };
}

/**
 * `names`: the decision is about what is wanted, and nothing else would lose by lifting it; `covers`: it is a prefix that
 * reaches beyond. Undefined: it has nothing to do with it. `addressesOf`: what a device with this MAC is known by.
 */
export function restricts(
  target: DecisionTarget,
  wanted: UnblockValue,
  addressesOf: (mac: string) => readonly string[] = () => [],
): 'names' | 'covers' | undefined {
  if (wanted.kind === 'mac') {
    if (target.scope === 'device' && target.mac === wanted.mac) return 'names';
    // it is the same device that is cut by its addresses, or from a destination
    const found = addressesOf(wanted.mac).flatMap((address) => {
      const prefix = parsePrefix(address);
      return prefix === undefined ? [] : (restricts(target, { kind: 'network', prefix }) ?? []);
    });
    return found.includes('names') ? 'names' : found[0];
  }
  const isInside = (text: string): boolean => {
    const inner = parsePrefix(text);
    return inner !== undefined && contains(wanted.prefix, inner);
  };
  switch (target.scope) {
    case 'ip':
    case 'ip+port':
      return isInside(target.address) ? 'names' : undefined;
    case 'device':
      return (target.mac === undefined ? [target.address] : addressesOf(target.mac)).some(isInside)
        ? 'names'
        : undefined;
    case 'pair':
      return isInside(target.peer) || isInside(target.device) ? 'names' : undefined;
    case 'cidr': {
      const network = parsePrefix(`${target.network}/${target.prefix}`);
      if (network === undefined) return undefined;
      if (contains(wanted.prefix, network)) return 'names';
      return contains(network, wanted.prefix) ? 'covers' : undefined;
    }
    case 'port':
      return undefined;
  }
}
