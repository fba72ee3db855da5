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

/** An element that a decision needs, and the set it belongs to. */
export interface PlannedElement {
  readonly set: KernelSet;
  readonly parts: readonly (string | number)[];
  /** Its `elementKey`. */
  readonly key: string;
}

export function elementKey(set: string, parts: readonly (string | number)[]): string {
  return `${set} ${parts.join(' . ')}`;
}

/** Throws where the decision's value is not one that may be restricted. */
export function planElements(decision: Restriction, options: RulesetOptions): readonly PlannedElement[] {
  const effect = effectOf(decision);
  return elementsFor(decision, options).map(({ shape, parts }) => {
    const name = setName(effect, shape);
    return { set: { name, effect, shape }, parts, key: elementKey(name, parts) };
  });
}

interface ShapedElement {
  readonly shape: SetShape;
  readonly parts: readonly (string | number)[];
}

function elementsFor(decision: Restriction, { addressesOf, isBridge }: RulesetOptions): readonly ShapedElement[] {
  const parsed = parseDecisionValue(decision.scope, decision.value);
  if (!parsed.ok) throw new Error(`decision ${decision.id}: ${parsed.reason}`);
  const { target } = parsed;
  const sides = sidesOf(decision.direction);
  // a limit is kept apart for each side: towards a target only what is new counts
  const shared = decision.direction === 'both' && decision.action !== 'rate_limit' ? (['both'] as const) : sides;
  switch (target.scope) {
    case 'ip':
      return shared.map((side) => hostElement(target.family, target.address, side));
    case 'cidr':
      return shared.map((side) =>
        target.prefix === (target.family === 'ipv4' ? 32 : 128)
          ? hostElement(target.family, target.network, side)
          : {
              shape: { kind: 'net', family: target.family, length: target.prefix, side },
              parts: [target.network],
            },
      );
    case 'port':
      return shared.map((side) => ({ shape: { kind: 'port', side }, parts: [target.protocol, target.port] }));
    case 'ip+port':
      return shared.map((side) => ({
        shape: { kind: 'service', family: target.family, side },
        parts: [target.address, target.protocol, target.port],
      }));
    case 'pair':
      return sides.map((side) => ({
        shape: { kind: 'pair', family: target.family },
        parts: side === 'from' ? [target.peer, target.device] : [target.device, target.peer],
      }));
    case 'device': {
      if (target.mac === undefined) return shared.map((side) => hostElement(target.family, target.address, side));
      const addresses = addressesOf(target.mac).flatMap((address) => {
        const host = parseDecisionValue('ip', address);
        return host.ok && host.target.scope === 'ip' ? [host.target] : [];
      });
      const { mac } = target;
      return [
        ...sides
          .filter((side) => side === 'from' || isBridge === true)
          .map((side) => ({ shape: { kind: 'mac' as const, side }, parts: [mac] })),
        ...addresses.flatMap((host) => shared.map((side) => hostElement(host.family, host.address, side))),
      ];
    }
  }
}

function hostElement(family: AddressFamily, address: string, side: SetSides): ShapedElement {
  return { shape: { kind: 'host', family, side }, parts: [address] };
}

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
