/**
 * Exceptions: a rule that only tells a person holds back every wider rule of the same attack, by whatever evidence that
 * one acts: what its own N, M and threshold ask for says when it tells, not whom it spares. A webhook does not: that
 * another program hears of a device is no reason to leave it unprotected.
 */
import type { Rule } from '../contract/rule.ts';
import { namesClass } from './evidence.ts';
import type { Proven } from './measures.ts';

/** Does one of these rules, all of them for the same device and now, hold this one back? */
export function isExcepted({ rule, proof }: Proven, others: readonly Rule[]): boolean {
  return others.some(
    (other) => other.action === 'alert_only' && widthOf(other) < widthOf(rule) && namesClass(other, proof.attack),
  );
}

/** One device, some of them, all. */
function widthOf({ device, devices }: Rule): number {
  if (device !== null) return 0;
  return devices.length > 0 ? 1 : 2;
}
