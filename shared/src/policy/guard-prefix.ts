/**
 * How much the guard's lists may name. What is listed is never cut: `0.0.0.0/0` among it would switch protection off
 * without a word. A network of one's own may be as wide as it is; of the world no more than one decision could restrict.
 */
import { z } from 'zod';
import { widestPrefix } from './decision-value.ts';
import { contains, mustParsePrefix, parsePrefix } from './prefix.ts';

/** Private, carrier-grade and link-local space: somebody's own, however wide. */
const ownSpace = [
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  '169.254.0.0/16',
  'fc00::/7',
  'fe80::/10',
].map(mustParsePrefix);

/** Why the guard may not list this address or prefix, for people; undefined where it may. */
export function guardPrefixProblem(text: string): string | undefined {
  const prefix = parsePrefix(text);
  if (prefix === undefined) return `"${text}" is neither an address nor a prefix; write 192.0.2.7 or 192.0.2.0/24`;
  const widest = widestPrefix[prefix.family];
  if (prefix.length >= widest || ownSpace.some((own) => contains(own, prefix))) return undefined;
  return `${text} is too wide: what is listed is never cut, and so much would switch protection off; at most /${widest}, or private space (10.0.0.0/8, fc00::/7); list the hosts that you mean`;
}

function refuseTooWide(text: string, context: { addIssue(message: string): void }): void {
  const problem = guardPrefixProblem(text);
  if (problem !== undefined) context.addIssue(problem);
}

/** A prefix as somebody lists it for the guard. */
export const GuardPrefix = z.union([z.cidrv4(), z.cidrv6()]).superRefine(refuseTooWide);
/** The same, or an address. */
export const GuardEntry = z.union([z.cidrv4(), z.cidrv6(), z.ipv4(), z.ipv6()]).superRefine(refuseTooWide);
