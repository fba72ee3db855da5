/** Decisions that would cut what the fleet itself stands on: refused by the controller at once, and by every gateway. */
import type { DecisionTarget } from './decision-value.ts';
import { contains, hostPrefix, longestOf, parsePrefix, type Prefix } from './prefix.ts';

/** The address among `guarded` that the target would cut, or undefined. What is no address in `guarded` guards nothing. */
export function guardedAddress(target: DecisionTarget, guarded: readonly string[]): string | undefined {
  if (target.scope !== 'cidr') {
    const host = hostOf(target);
    return prefixesOf(guarded).find(({ family, network, length }) => network === host && length === longestOf(family))
      ?.network;
  }
  const cut = parsePrefix(`${target.network}/${target.prefix}`);
  return cut === undefined ? undefined : prefixesOf(guarded).find((inner) => contains(cut, inner))?.network;
}

/** The entry of `prefixes`, addresses or networks, that holds all that the target would cut, or undefined. */
export function guardingPrefix(target: DecisionTarget, prefixes: readonly string[]): string | undefined {
  if (prefixes.length === 0) return undefined;
  const cut = target.scope === 'cidr' ? parsePrefix(`${target.network}/${target.prefix}`) : hostPrefixOf(target);
  const outer = cut === undefined ? undefined : prefixesOf(prefixes).find((entry) => contains(entry, cut));
  return outer === undefined ? undefined : writePrefix(outer);
}

function hostPrefixOf(target: Exclude<DecisionTarget, { readonly scope: 'cidr' }>): Prefix | undefined {
  const host = hostOf(target);
  return host === undefined ? undefined : hostPrefix(host);
}

/** The host, as canonical text, that a target cuts off from everything; a pair cuts its peer off from one device only. */
function hostOf(target: Exclude<DecisionTarget, { readonly scope: 'cidr' }>): string | undefined {
  switch (target.scope) {
    case 'ip':
    case 'ip+port':
      return target.address;
    case 'device':
      return target.mac === undefined ? target.address : undefined;
    case 'pair':
      return target.peer;
    case 'port':
      return undefined;
  }
}

/** Thousands of decisions are held against the same list. */
const parsed = new WeakMap<readonly string[], readonly Prefix[]>();

function prefixesOf(texts: readonly string[]): readonly Prefix[] {
  let prefixes = parsed.get(texts);
  if (prefixes === undefined) {
    prefixes = texts.flatMap((text) => parsePrefix(text) ?? []);
    parsed.set(texts, prefixes);
  }
  return prefixes;
}

function writePrefix({ family, network, length }: Prefix): string {
  return length === longestOf(family) ? network : `${network}/${length}`;
}
