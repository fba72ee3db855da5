/**
 * Which rule acts where several are met at the same time: a gateway goes by the first of its policy. The narrowest first,
 * so that an exception is one (an `alert_only` for a device, or for a type of device, holds wider rules back); of equals
 * the newest; what nobody wrote, the default rules, last.
 */
import { defaultRules } from '@picket/shared/policy/default-rules';
import type { StoredRule } from '@picket/shared/contract/stored-rule';

type Scoped = Pick<StoredRule, 'id' | 'device' | 'device_type' | 'gateway_id' | 'created_at'>;

const defaultIds: ReadonlySet<string> = new Set(defaultRules.map(({ id }) => id));

/** The rules in the order of a policy; default rules among themselves by their ids. */
export function byPrecedence<T extends Scoped>(rules: readonly T[]): T[] {
  return rules.toSorted(
    (a, b) =>
      widthOf(a) - widthOf(b) ||
      Number(defaultIds.has(a.id)) - Number(defaultIds.has(b.id)) ||
      (defaultIds.has(a.id) ? compare(a.id, b.id) : compare(b.created_at, a.created_at) || compare(b.id, a.id)),
  );
}

/** One device, a type of device on one gateway, a type of device, one gateway, all. */
function widthOf({ device, device_type: type, gateway_id: gateway }: Scoped): number {
  if (device !== null) return 0;
  if (type !== null) return gateway === null ? 2 : 1;
  return gateway === null ? 4 : 3;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
