/** What may not be asked for: values that cannot be, gateways that are not there, and what the fleet itself stands on. */
import type { GatewayId } from '@picket/shared/contract/identifiers';
import type { NewDecision } from '@picket/shared/contract/stored-decision';
import { actionProblem, parseDecisionValue, type DecisionTarget } from '@picket/shared/policy/decision-value';
import { guardedAddress } from '@picket/shared/policy/guarded-address';
import { guardedValue, type GuardedValue } from '@picket/shared/policy/guarded-value';
import type { KnownGateway } from '../devices/gateway-directory.ts';
import { guardedFacts } from '../devices/guarded-facts.ts';
import { Conflict, InvalidInput } from '../errors.ts';

/** The value, read. Throws `InvalidInput` for one that cannot be, is too wide, or does not go with the action. */
export function readNewDecision({ scope, value, action }: NewDecision): {
  readonly target: DecisionTarget;
  readonly value: string;
} {
  const parsed = parseDecisionValue(scope, value);
  if (!parsed.ok) throw refusedField('/value', parsed.reason);
  const misfit = actionProblem(action, scope);
  if (misfit !== undefined) throw refusedField('/scope', misfit);
  return parsed;
}

/** Those of the enrolled that it is for. Throws `Conflict` where there is none at all, `InvalidInput` for an unknown one. */
export function gatewaysFor(
  wanted: readonly GatewayId[] | undefined,
  enrolled: readonly KnownGateway[],
): readonly KnownGateway[] {
  if (wanted === undefined) {
    if (enrolled.length === 0) throw new Conflict('no gateway is enrolled that could hold this decision');
    return enrolled;
  }
  return [...new Set(wanted)].map((id) => {
    const gateway = enrolled.find((known) => known.id === id);
    if (gateway === undefined) throw refusedField('/gateways', `no gateway ${id} is enrolled`);
    return gateway;
  });
}

/** Throws `Conflict`, naming the value, where it would cut the controller, what one of these gateways stands on, or is listed by all. */
export function refuseGuarded(
  target: DecisionTarget,
  gateways: readonly KnownGateway[],
  ownAddresses: readonly string[],
): void {
  const own = guardedAddress(target, ownAddresses);
  if (own !== undefined)
    throw guardedConflict(`${own} is this controller; a gateway that blocks it is lost to the fleet`);
  const refusals = gateways.flatMap((gateway) => {
    const guarded = guardedValue(target, guardedFacts(gateway));
    return guarded === undefined ? [] : { guarded, gateway: gateway.id };
  });
  // what one owner lists keeps no other gateway from holding it: that one answers `refused`
  const isOnlyListed = ({ guarded: { as } }: (typeof refusals)[number]): boolean =>
    as === 'listed' || as === 'management-port';
  const refusal =
    refusals.find((one) => !isOnlyListed(one)) ?? (refusals.length === gateways.length ? refusals[0] : undefined);
  if (refusal !== undefined) throw guardedConflict(reasonOf(refusal.guarded, refusal.gateway));
}

function reasonOf({ as, entry }: GuardedValue, gateway: GatewayId): string {
  switch (as) {
    case 'own-address':
      return `${entry} is the gateway ${gateway} itself`;
    case 'next-hop':
      return `${entry} is the next hop of the default route of ${gateway}: all behind it would be cut off`;
    case 'broadcast':
      return `${entry} is the broadcast address of a subnet of ${gateway}, no host`;
    case 'listed':
      return `${gateway} never blocks ${entry}: guard.never_block of its policy lists it`;
    case 'management-port':
      return `${entry} is a management port of ${gateway}: guard.management_ports of its policy lists it`;
  }
}

function guardedConflict(detail: string): Conflict {
  return new Conflict(`value: ${detail}`, { fields: [{ pointer: '/value', detail }] });
}

export function refusedField(pointer: string, detail: string): InvalidInput {
  return new InvalidInput(`${pointer.slice(1)}: ${detail}`, { fields: [{ pointer, detail }] });
}
