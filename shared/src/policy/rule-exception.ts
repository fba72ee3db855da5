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
      isGentler(stepsOf(other, side), stepsOf(rule, side)),
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

/** How harsh what it does is, the first time and each time after it; the last goes on. At least one. */
function stepsOf(rule: Rule, side: Side): readonly number[] {
  const { action, device_ladder: ladder, mode } = rule;
  if (isTelling(rule) || mode === 'observe' || mode === 'simulate') return [0]; // does nothing to anybody
  return side === 'outside' || ladder.length === 0
    ? [harshnessOfAction[action][side]]
    : ladder.map((step) => harshnessOfStep[step]);
}

/** Less harsh at its worst; or as harsh in the end, but never harsher on the way there, and gentler once. */
function isGentler(one: readonly number[], other: readonly number[]): boolean {
  const [worst, otherWorst] = [Math.max(...one), Math.max(...other)];
  if (worst !== otherWorst) return worst < otherWorst;
  const places = Array.from({ length: Math.max(one.length, other.length) }, (_, place) => place);
  const differences = places.map((place) => (one[place] ?? one.at(-1)!) - (other[place] ?? other.at(-1)!));
  return differences.every((more) => more <= 0) && differences.some((more) => more < 0);
}
