/** Why a decision exists, in plain words: the same on the gateway's command line and in the controller's answers. */
import type { Alert } from '../contract/alert.ts';
import type { Decision, DecisionAction, DecisionDirection, DecisionOrigin } from '../contract/decision.ts';
import type { Rule } from '../contract/rule.ts';
import { parseDecisionValue } from './decision-value.ts';
import { guardedAddress } from './guarded-address.ts';

/** What is known of a decision where it is asked about. */
export interface DecisionFacts {
  readonly decision: Decision;
  /** Undefined: made without one, or it is gone. */
  readonly rule?: Pick<Rule, 'name' | 'threshold' | 'min_windows' | 'of_windows' | 'min_flows'> | undefined;
  readonly alert?: Pick<Alert, 'message' | 'first_seen_at' | 'last_seen_at'> | undefined;
  /** One line per place where it is held, or should be: a kernel's word. */
  readonly kernel: readonly string[];
  /** Who lifted it before its end, and when. */
  readonly lifted?: { readonly at: string; readonly by: string | null } | undefined;
  /** What to type or call to lift it. */
  readonly undo: string;
  readonly nowMs: number;
}

/** One line about each of: what, why, evidence, rule, who, kernel, end, what would undo it. */
export function explainDecision(facts: DecisionFacts): readonly string[] {
  const { decision, rule, alert, lifted } = facts;
  return [
    `What: ${whatOf(decision)}.`,
    `Why: ${decision.scenario}: ${decision.reason}.`,
    ...(alert === undefined
      ? []
      : [
          `Alert: ${alert.message} First seen ${alert.first_seen_at}, last ${alert.last_seen_at} (${decision.alert_id}).`,
        ]),
    ...(alert === undefined && decision.alert_id !== null ? [`Alert: ${decision.alert_id}.`] : []),
    ...(rule === undefined ? [] : [`Rule: ${ruleText(rule, decision)} (${decision.rule_id}).`]),
    ...(rule === undefined && decision.rule_id !== null
      ? [`Rule: ${decision.rule_id}, which is no longer there.`]
      : []),
    `Decided by: ${originWords[decision.origin]}, ${decision.who}, ${decision.created_at}.`,
    ...facts.kernel.map((line) => `Kernel: ${line}.`),
    lifted === undefined
      ? `Ends: ${decision.expires_at}, by itself${leftText(decision, facts.nowMs)}.`
      : `Ended: lifted ${lifted.at} by ${lifted.by ?? 'somebody'}.`,
    ...(lifted === undefined ? [`To undo it before: ${facts.undo}.`] : []),
  ];
}

/** Is this decision about what somebody typed: its id, its value, or an address that it covers? */
export function isAbout(decision: Pick<Decision, 'id' | 'scope' | 'value'>, text: string): boolean {
  if (decision.id === text) return true;
  const asked = parseDecisionValue(decision.scope, text);
  if (decision.value === (asked.ok ? asked.value : text)) return true;
  const parsed = parseDecisionValue(decision.scope, decision.value);
  if (!parsed.ok) return false;
  const { target } = parsed;
  return (
    guardedAddress(target, [text]) !== undefined ||
    (target.scope === 'pair' &&
      guardedAddress({ scope: 'ip', family: target.family, address: target.device }, [text]) !== undefined)
  );
}

const actionWords: Readonly<Record<DecisionAction, string>> = {
  block: 'blocked',
  rate_limit: 'slowed down to a bounded rate',
  no_wan: 'kept from everything beyond the LAN',
  quarantine: 'in quarantine: kept from everything',
};

const directionWords: Readonly<Record<DecisionDirection, string>> = {
  from: 'what it sends',
  to: 'what is sent to it',
  both: 'what it sends and what is sent to it',
};

const originWords: Readonly<Record<DecisionOrigin, string>> = {
  model: 'the model on the gateway',
  rule: 'a rule on the gateway',
  analyst: 'a person',
  fleet: 'the fleet',
  'federation-test': 'a test of a federated model',
};

function whatOf({ scope, value, action, direction, mode }: Decision): string {
  const [peer, device] = value.split(' ');
  const subject = scope === 'pair' ? `traffic between ${peer} and ${device}` : `${scope} ${value}`;
  const which =
    scope === 'pair' || action === 'quarantine' || action === 'no_wan' ? '' : ` (${directionWords[direction]})`;
  const caveat = {
    enforce: '',
    simulate: '; simulated: matching packets are counted and let through',
    observe: '; observed only: the kernel is told nothing',
  }[mode];
  return `${subject} is ${actionWords[action]}${which}${caveat}`;
}

function ruleText(rule: NonNullable<DecisionFacts['rule']>, { origin }: Pick<Decision, 'origin'>): string {
  const threshold = rule.threshold === null ? 'the threshold in force' : `a score of ${rule.threshold}`;
  const plainly = origin === 'rule' ? 'on what is plain from its flows, and ' : '';
  return `"${rule.name}" acts ${plainly}when ${rule.min_windows} of the last ${rule.of_windows} windows with at least ${rule.min_flows} flows reach ${threshold}`;
}

function leftText({ expires_at }: Decision, nowMs: number): string {
  const seconds = Math.round((Date.parse(expires_at) - nowMs) / 1000);
  if (seconds <= 0) return ', which is over';
  const units = [
    ['d', Math.floor(seconds / 86_400)],
    ['h', Math.floor(seconds / 3600) % 24],
    ['min', Math.floor(seconds / 60) % 60],
    ['s', seconds % 60],
  ] as const;
  const first = units.findIndex(([, amount]) => amount > 0);
  const text = units
    .slice(first, first + 2)
    .filter(([, amount]) => amount > 0)
    .map(([unit, amount]) => `${amount} ${unit}`)
    .join(' ');
  return `, in ${text}`;
}
