/**
 * What the private table shall hold for one decision, worked out without touching the kernel: which elements of which
 * sets. Hosts are hash-set elements; a prefix is an element of the set of its length (interval sets with auto-merge
 * lose an inner element's timeout). Who is cut off both ways is one element, looked for on both sides of a packet. A
 * decision in `simulate` goes to a parallel set that only counts.
 */
import type { DecisionDirection } from '@picket/shared/contract/decision';
import { parseDecisionValue, type AddressFamily } from '@picket/shared/policy/decision-value';
import type { Restriction } from './restriction.ts';

/** What a match leads to. `count…` leads to nothing but a counter. */
export type SetEffect = 'drop' | 'limit' | 'wan' | 'countdrop' | 'countlimit' | 'countwan';
/** Which side of the packet the element is. */
export type SetSide = 'from' | 'to';
export type SetSides = SetSide | 'both';

export type SetShape =
  | { readonly kind: 'host'; readonly family: AddressFamily; readonly side: SetSides }
  | { readonly kind: 'net'; readonly family: AddressFamily; readonly length: number; readonly side: SetSides }
  /** The port is always that of the service, whichever side the address is. */
  | { readonly kind: 'service'; readonly family: AddressFamily; readonly side: SetSides }
  /** Source and destination. */
  | { readonly kind: 'pair'; readonly family: AddressFamily }
  | { readonly kind: 'port'; readonly side: SetSides }
  /** `to` only between ports of a bridge: elsewhere the destination's MAC is not known yet. */
  | { readonly kind: 'mac'; readonly side: SetSide };

export interface KernelSet {
  readonly name: string;
  readonly effect: SetEffect;
  readonly shape: SetShape;
}

export interface KernelElement {
  /** Its `elementKey`. */
  readonly key: string;
  readonly set: string;
  /** As libnftables takes and gives it; more than one part is a concatenation. */
  readonly parts: readonly (string | number)[];
  readonly expiresAtMs: number;
  /** The decision that lasts longest of those that need this element. */
  readonly decisionId: string;
}

export interface Ruleset {
  /** By name. */
  readonly sets: ReadonlyMap<string, KernelSet>;
  /** By `elementKey`. */
  readonly elements: ReadonlyMap<string, KernelElement>;
}

export interface RulesetOptions {
  readonly nowMs: number;
  /** Addresses that a MAC is known by: what is sent *to* a device can only be told by them. */
  readonly addressesOf: (mac: string) => readonly string[];
  /** Whether the gateway carries frames between ports of a bridge. */
  readonly isBridge?: boolean;
}

export function elementKey(set: string, parts: readonly (string | number)[]): string {
  return parts.length === 1 ? `${set} ${parts[0]}` : `${set} ${parts.join(' . ')}`;
}

/**
 * The elements that make a decision hold until `expiresAtMs`. `sets`: by name; what is missing is added, so that there is
 * one of each, however many thousand elements it has. Throws where the value is not one that may be restricted.
 */
export function planElements(
  decision: Restriction,
  expiresAtMs: number,
  sets: Map<string, KernelSet>,
  { addressesOf, isBridge }: RulesetOptions,
): readonly KernelElement[] {
  const parsed = parseDecisionValue(decision.scope, decision.value);
  if (!parsed.ok) throw new Error(`decision ${decision.id}: ${parsed.reason}`);
  const { target } = parsed;
  const effect = effectOf(decision);
  const element = (shape: SetShape, ...parts: readonly (string | number)[]): KernelElement => {
    const set = setOf(effect, shape, sets).name;
    return { key: elementKey(set, parts), set, parts, expiresAtMs, decisionId: decision.id };
  };
  const host = (family: AddressFamily, address: string, side: SetSides): KernelElement =>
    element({ kind: 'host', family, side }, address);
  const sides = sidesOf(decision.direction);
  // a limit is kept apart for each side: towards a target only what is new counts
  const shared = decision.direction === 'both' && decision.action !== 'rate_limit' ? bothSides : sides;
  switch (target.scope) {
    case 'ip':
      return shared.map((side) => host(target.family, target.address, side));
    case 'cidr': {
      const { family, network, prefix } = target;
      return shared.map((side) =>
        prefix === (family === 'ipv4' ? 32 : 128)
          ? host(family, network, side)
          : element({ kind: 'net', family, length: prefix, side }, network),
      );
    }
    case 'port':
      return shared.map((side) => element({ kind: 'port', side }, target.protocol, target.port));
    case 'ip+port': {
      const { family, address, protocol, port } = target;
      return shared.map((side) => element({ kind: 'service', family, side }, address, protocol, port));
    }
    case 'pair': {
      const { family, peer, device } = target;
      return sides.map((side) =>
        side === 'from'
          ? element({ kind: 'pair', family }, peer, device)
          : element({ kind: 'pair', family }, device, peer),
      );
    }
    case 'device': {
      const { mac } = target;
      if (mac === undefined) return shared.map((side) => host(target.family, target.address, side));
      const addresses = addressesOf(mac).flatMap((address) => {
        const known = parseDecisionValue('ip', address);
        return known.ok && known.target.scope === 'ip' ? [known.target] : [];
      });
      return [
        ...sides
          .filter((side) => side === 'from' || isBridge === true)
          .map((side) => element({ kind: 'mac', side }, mac)),
        ...addresses.flatMap(({ family, address }) => shared.map((side) => host(family, address, side))),
      ];
    }
  }
}

function setOf(effect: SetEffect, shape: SetShape, sets: Map<string, KernelSet>): KernelSet {
  const name = setName(effect, shape);
  const known = sets.get(name);
  if (known !== undefined) return known;
  const set = { name, effect, shape };
  sets.set(name, set);
  return set;
}

const bothSides = ['both'] as const;

function sidesOf(direction: DecisionDirection): readonly SetSide[] {
  return direction === 'both' ? ['from', 'to'] : [direction];
}

/** `wan` drops what goes beyond the LAN, and nothing else. */
const effects = { block: 'drop', quarantine: 'drop', rate_limit: 'limit', no_wan: 'wan' } as const;

function effectOf(decision: Restriction): SetEffect {
  const effect = effects[decision.action];
  return decision.mode === 'simulate' ? `count${effect}` : effect;
}

function setName(effect: SetEffect, shape: SetShape): string {
  switch (shape.kind) {
    case 'host':
      return `${effect}_${shape.family}_${shape.side}`;
    case 'net':
      return `${effect}_${shape.family}_${shape.length}_${shape.side}`;
    case 'service':
      return `${effect}_${shape.family}_service_${shape.side}`;
    case 'pair':
      return `${effect}_${shape.family}_pair`;
    case 'port':
      return `${effect}_port_${shape.side}`;
    case 'mac':
      return shape.side === 'from' ? `${effect}_mac` : `${effect}_mac_to`;
  }
}
