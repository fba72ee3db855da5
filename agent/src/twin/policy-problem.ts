/**
 * What a policy of the controller may not say though it is well-formed and signed: what would switch protection off, or
 * cut everybody. Asked of what arrives; what was accepted by an agent of before still holds until then.
 */
import { SetThreshold } from '@picket/shared/contract/rule';
import type { Policy } from '@picket/shared/contract/twin';
import { guardPrefixProblem } from '@picket/shared/policy/guard-prefix';

/** The field and what is wrong with it, for people; undefined where the policy may hold. */
export function policyProblem({
  guard,
  rules,
  threshold,
}: Pick<Policy, 'guard' | 'rules' | 'threshold'>): string | undefined {
  for (const list of ['admin_prefixes', 'never_block'] as const) {
    for (const [index, text] of guard[list].entries()) {
      const problem = guardPrefixProblem(text);
      if (problem !== undefined) return `guard.${list}.${index}: ${problem}`;
    }
  }
  const thresholds = [
    ['threshold', threshold] as const,
    ...rules.map((rule, index) => [`rules.${index}.threshold`, rule.threshold] as const),
  ];
  for (const [field, value] of thresholds) {
    const parsed = SetThreshold.nullable().safeParse(value);
    if (!parsed.success) return `${field}: ${parsed.error.issues[0]?.message ?? 'not valid'}`;
  }
  return undefined;
}
