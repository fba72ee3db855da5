/** What a gateway would refuse to hold of what its rules ask for, as far as its controller knows what is guarded there. */
import { parseDecisionValue } from '@picket/shared/policy/decision-value';
import { guardedAddress, guardingPrefix } from '@picket/shared/policy/guarded-address';
import type { Restriction } from '@picket/shared/policy/restriction';
import type { KnownGateway } from '../devices/gateway-directory.ts';

/** True for values that cannot be, are too wide, or cut what the gateway stands on or its policy never blocks. */
export function isRefused(
  { scope, value }: Pick<Restriction, 'scope' | 'value'>,
  { addresses, defaultRoutes, guard }: Pick<KnownGateway, 'addresses' | 'defaultRoutes' | 'guard'>,
): boolean {
  const parsed = parseDecisionValue(scope, value);
  if (!parsed.ok) return true;
  const { target } = parsed;
  if (target.scope === 'port') return target.protocol === 'tcp' && guard.management_ports.includes(target.port);
  const isHeldBack = (asked: typeof target): boolean =>
    guardedAddress(asked, addresses) !== undefined ||
    guardedAddress(asked, defaultRoutes) !== undefined ||
    guardingPrefix(asked, guard.never_block) !== undefined;
  if (isHeldBack(target)) return true;
  // the device of a pair may be the gateway: then it is the peer that is kept from it
  return (
    target.scope === 'pair' &&
    !addresses.includes(target.device) &&
    isHeldBack({ scope: 'ip', family: target.family, address: target.device })
  );
}
