/**
 * The hooks of our tables, and what a packet is asked there. There is a hook only while there is a set to look in. A
 * packet that no decision is about, nearly every one, is let go by one rule for its family, which looks in every set and
 * counts nothing; what is found in one of them, and only that, meets the guard and then the rules of the sets.
 */
import type { AddressFamily } from '@picket/shared/policy/decision-value';
import {
  accept,
  inTable,
  match,
  meta,
  rule,
  type Expression,
  type NftCommand,
  type TableFamily,
} from './nft-expression.ts';
import { filledGuardChains } from './nft-guard.ts';
import type { KernelSet } from './nft-ruleset.ts';
import { inOrder, isCounting, setKeys, setRules } from './nft-set.ts';
import type { Guard } from './guard.ts';

/** Ahead of `filter` of the family, so that no other table's `ct state established accept` lets a blocked host through. */
const priority = { inet: -10, bridge: -210 } as const;
const hooks = { inet: ['input', 'output', 'forward'], bridge: ['forward'] } as const;
/** Chains of rules of sets. */
export const setChains = ['simulated', 'decisions'] as const;
/** The kernel takes 128 expressions in a rule, and a lookup is four of them at most. */
const maxLookups = 24;

/** Of a table with these sets. */
export function hooksFor(family: TableFamily, sets: readonly KernelSet[]): readonly string[] {
  return sets.length === 0 ? [] : hooks[family];
}

export function addHook(family: TableFamily, hook: string): NftCommand {
  const base = { type: 'filter', hook, prio: priority[family], policy: 'accept' };
  return { add: { chain: { ...inTable(family), name: hook, ...base } } };
}

/** All rules but those of the guard, into chains that are empty. */
export function rulesFor(family: TableFamily, sets: readonly KernelSet[], guard: Guard): readonly NftCommand[] {
  const guardChains = filledGuardChains(family, guard);
  const filled = [...(sets.some(isCounting) ? ['simulated'] : []), ...(sets.every(isCounting) ? [] : ['decisions'])];
  return [
    ...inOrder(sets).flatMap((set) => setRules(family, set)),
    ...hooksFor(family, sets).flatMap((hook) => [
      ...(['ipv4', 'ipv6'] as const).flatMap((addresses) => letGo(family, hook, sets, addresses)),
      ...[...guardChains.filter((chain) => chain === `guard_${hook}`), ...filled].map((target) =>
        rule(family, hook, [{ jump: { target } }]),
      ),
    ]),
  ];
}

/** What is in none of the sets. A lookup that finds nothing leaves counters and buckets of elements as they are. */
function letGo(
  family: TableFamily,
  hook: string,
  sets: readonly KernelSet[],
  addresses: AddressFamily,
): readonly NftCommand[] {
  const ofAny = sets.filter(({ shape }) => !('family' in shape));
  const ofThese = sets.filter(({ shape }) => 'family' in shape && shape.family === addresses);
  // a lookup by address says of itself which family it is of
  const first = ofThese.length > 0 ? [] : [isOf(family, addresses)];
  const absent = [...ofThese, ...ofAny].flatMap((set) => setKeys(set).map((key) => match(key, `@${set.name}`, '!=')));
  return absent.length > maxLookups ? [] : [rule(family, hook, [...first, ...absent, accept])];
}

function isOf(family: TableFamily, addresses: AddressFamily): Expression {
  return family === 'inet'
    ? match(meta('nfproto'), addresses)
    : match(meta('protocol'), addresses === 'ipv4' ? 'ip' : 'ip6');
}
