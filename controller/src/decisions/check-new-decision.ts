/** What may not be asked for: values that cannot be, gateways that are not there, and what the fleet itself stands on. */
import type { GatewayId } from '@picket/shared/contract/identifiers';
import type { NewDecision } from '@picket/shared/contract/stored-decision';
import { actionProblem, parseDecisionValue, type DecisionTarget } from '@picket/shared/policy/decision-value';
import { guardedAddress } from '@picket/shared/policy/guarded-address';
import type { KnownGateway } from '../devices/gateway-directory.ts';
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

/** Throws `Conflict` where it would cut the controller, one of these gateways, or its way out. */
export function refuseGuarded(
  target: DecisionTarget,
  gateways: readonly KnownGateway[],
  ownAddresses: readonly string[],
): void {
  const own = guardedAddress(target, ownAddresses);
  if (own !== undefined) throw new Conflict(`${own} is this controller; a gateway that blocks it is lost to the fleet`);
  for (const gateway of gateways) {
    const address = guardedAddress(target, gateway.addresses);
    if (address !== undefined) throw new Conflict(`${address} is the gateway ${gateway.id} itself`);
    const route = guardedAddress(target, gateway.defaultRoutes);
    if (route !== undefined)
      throw new Conflict(
        `${route} is the next hop of the default route of ${gateway.id}: all behind it would be cut off`,
      );
  }
}

export function refusedField(pointer: string, detail: string): InvalidInput {
  return new InvalidInput(`${pointer.slice(1)}: ${detail}`, { fields: [{ pointer, detail }] });
}
