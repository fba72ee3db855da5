/** Decisions that would cut what the fleet itself stands on: refused by the controller at once, and by every gateway. */
import type { DecisionTarget } from './decision-value.ts';
import { contains, parsePrefix, type Prefix } from './prefix.ts';

/** The address among `guarded` that the target would cut, or undefined. What is no address in `guarded` guards nothing. */
export function guardedAddress(target: DecisionTarget, guarded: readonly string[]): string | undefined {
  const cut = cutBy(target);
  return cut === undefined ? undefined : prefixesOf(guarded).find((inner) => contains(cut, inner))?.network;
}

/** The entry of `prefixes`, addresses or networks, that holds all that the target would cut, or undefined. */
export function guardingPrefix(target: DecisionTarget, prefixes: readonly string[]): string | undefined {
  const cut = cutBy(target);
  const outer = cut === undefined ? undefined : prefixesOf(prefixes).find((entry) => contains(entry, cut));
  return outer === undefined ? undefined : writePrefix(outer);
}

/** What a target cuts off from everything; a pair cuts its peer off from one device only. */
function cutBy(target: DecisionTarget): Prefix | undefined {
  switch (target.scope) {
    case 'ip':
    case 'ip+port':
      return parsePrefix(target.address);
    case 'device':
      return target.mac === undefined ? parsePrefix(target.address) : undefined;
    case 'pair':
      return parsePrefix(target.peer);
    case 'cidr':
      return parsePrefix(`${target.network}/${target.prefix}`);
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
  return length === (family === 'ipv4' ? 32 : 128) ? network : `${network}/${length}`;
}
