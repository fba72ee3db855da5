/** An alert in one sentence: what, who, whom, how sure, and what was done. */
import type { ActionTaken } from '@picket/shared/contract/alert';
import { durationInWords } from '@picket/shared/features/feature-words';
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
  /** How often it came back, and after how much quiet the last time, seconds; null: it never did. */
  readonly back: { readonly times: number; readonly afterSeconds: number } | null;
  /** What was done since it came back. */
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
  return `${classDescriptions[facts.attack].title} ${parties(facts)}, ${why}${returned(facts)}${action}.`;
}

function returned({ back }: AlertFacts): string {
  if (back === null) return '';
  return `, again after ${durationInWords(back.afterSeconds)} of quiet, for the ${ordinal(back.times + 1)} time`;
}

const endings: Readonly<Record<string, string>> = { one: 'st', two: 'nd', few: 'rd' };
const ordinals = new Intl.PluralRules('en', { type: 'ordinal' });

function ordinal(number: number): string {
  return `${number}${endings[ordinals.select(number)] ?? 'th'}`;
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
