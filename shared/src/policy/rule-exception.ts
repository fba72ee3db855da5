/**
 * Exceptions: a rule for fewer devices that does less, or only tells, holds back every wider rule of the same attack, by
 * whatever evidence that one acts: what its own N, M and threshold ask for says when it acts itself, not whom it spares. A webhook does not
 * hold back: that another program hears of a device is no reason to leave it unprotected.
 */
import type { DeviceStep, Rule, RuleAction } from '../contract/rule.ts';
import { namesClass } from './evidence.ts';
import type { Proven } from './measures.ts';
import { isTelling } from './restriction.ts';

/** Whom the rules are to act on: what they do to a host outside and to a device of the LAN are two things. */
export type Side = 'outside' | 'device';

/** Does one of these rules, all of them for the same device and now, hold this one back? */
export function isExcepted({ rule, proof }: Proven, others: readonly Rule[], side: Side): boolean {
  return others.some(
    (other) =>
      other.action !== 'webhook' &&
      widthOf(other) < widthOf(rule) &&
      namesClass(other, proof.attack) &&
      harshnessOf(other, side) < harshnessOf(rule, side),
  );
}

/** One device, some of them, all. */
function widthOf({ device, devices }: Rule): number {
  if (device !== null) return 0;
  return devices.length > 0 ? 1 : 2;
}

const harshnessOfAction: Readonly<Record<RuleAction, Readonly<Record<Side, number>>>> = {
  alert_only: { outside: 0, device: 0 },
  webhook: { outside: 0, device: 0 },
  rate_limit: { outside: 1, device: 1 },
  block: { outside: 2, device: 2 },
  no_wan: { outside: 2, device: 3 },
  quarantine: { outside: 2, device: 4 },
};
const harshnessOfStep: Readonly<Record<DeviceStep, number>> = {
  observe: 0,
  rate_limit: 1,
  cut_destination: 2,
  no_wan: 3,
  quarantine: 4,
};

/** At its worst. What is only observed or counted does nothing to anybody. */
function harshnessOf(rule: Rule, side: Side): number {
  const { action, device_ladder: ladder, mode } = rule;
  if (isTelling(rule) || mode === 'observe' || mode === 'simulate') return 0;
  return side === 'outside' || ladder.length === 0
    ? harshnessOfAction[action][side]
    : Math.max(...ladder.map((step) => harshnessOfStep[step]));
}
