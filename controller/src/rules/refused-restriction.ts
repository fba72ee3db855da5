/** What a gateway would refuse to hold of what its rules ask for, as far as its controller knows what is guarded there. */
import { parseDecisionValue } from '@picket/shared/policy/decision-value';
import { guardedValue } from '@picket/shared/policy/guarded-value';
import type { Restriction } from '@picket/shared/policy/restriction';
import { guardedFacts, type GuardedGateway } from '../devices/guarded-facts.ts';

/** True for values that cannot be, are too wide, or cut what the gateway stands on or its policy never blocks. */
export function isRefused({ scope, value }: Pick<Restriction, 'scope' | 'value'>, gateway: GuardedGateway): boolean {
  const parsed = parseDecisionValue(scope, value);
  return !parsed.ok || guardedValue(parsed.target, guardedFacts(gateway)) !== undefined;
}
