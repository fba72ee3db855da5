/**
 * Exceptions: a rule that only tells a person holds back every wider rule of the same attack. A webhook does not: that
 * another program hears of a device is no reason to leave it unprotected.
 */
import type { Rule } from '../contract/rule.ts';
import { namesClass } from './evidence.ts';
import type { Proven } from './measures.ts';

/** Does one of the rules that are proven at the same time hold this one back? */
export function isExcepted({ rule, proof }: Proven, proven: readonly Proven[]): boolean {
  return proven.some(
    ({ rule: other }) =>
      other.action === 'alert_only' && widthOf(other) < widthOf(rule) && namesClass(other, proof.attack),
  );
}

/** One device, some of them, all. */
function widthOf({ device, devices }: Rule): number {
  if (device !== null) return 0;
  return devices.length > 0 ? 1 : 2;
}
