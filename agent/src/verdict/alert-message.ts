/** An alert in one sentence: what, who, whom, how sure, and what was done. */
import type { ActionTaken } from '@picket/shared/contract/alert';
import { classDescriptions } from '@picket/shared/features/traffic-classes';
import type { Offender } from '@picket/shared/policy/offender';
import type { AttackClass } from './scored-window.ts';

export interface AlertFacts {
  readonly attack: AttackClass;
  readonly device: string;
  readonly offender: Offender;
  /** Highest of the episode, 0 to 1. */
  readonly score: number;
  /** Told from the flows, whatever the score. */
  readonly isPlain: boolean;
  /** What was counted, in words: it says more than a score; null: nothing was. */
  readonly counted: string | null;
  /** Attack predictions in the episode. */
  readonly count: number;
  readonly action: ActionTaken;
  readonly simulated: boolean;
}

/** While nothing was done, nothing is said of it: an alert goes out before its decision reaches the kernel. */
const actionWords: Readonly<Record<Exclude<ActionTaken, 'none'>, string>> = {
  ip_blocked: 'blocked',
  rate_limited: 'rate limited',
  quarantined: 'quarantined',
};

export function alertMessage(facts: AlertFacts): string {
  const windows = facts.count === 1 ? 'one window' : `${facts.count} windows`;
  const action =
    facts.action === 'none' ? '' : `: ${actionWords[facts.action]}${facts.simulated ? ' (simulated)' : ''}`;
  const certainty = facts.isPlain ? 'plain from its flows' : `score ${facts.score.toFixed(2)}`;
  const why = facts.counted ?? `${certainty} in ${windows}`;
  return `${classDescriptions[facts.attack].title} ${parties(facts)}, ${why}${action}.`;
}

function parties({ device, offender }: AlertFacts): string {
  switch (offender.kind) {
    case 'peers': {
      const [first, ...others] = offender.peers;
      return `by ${first}${others.length > 0 ? ` and ${others.length} more` : ''} against ${device}`;
    }
    case 'destination':
      return `from ${device}${inItsName(offender)} to ${offender.peer}`;
    case 'device':
      return `by ${device}${inItsName(offender)} against many hosts`;
    case 'target':
      return `from many or forged sources against ${device}`;
  }
}

/** A router brought it: whoever reads the name must not take it for proof. */
function inItsName({ isRelayed }: { readonly isRelayed?: true }): string {
  return isRelayed === true ? ' (or in its name: it was not seen to send it)' : '';
}
