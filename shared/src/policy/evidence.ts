/**
 * Never a restriction on one window alone: what the last scored windows of each device said, what was counted over all of
 * them, and when a rule last fired for a device and peer. All times are packet times.
 */
import type { Rule } from '../contract/rule.ts';
import type { TrafficClass } from '../features/traffic-classes.ts';
import { BoundedMap } from './bounded-map.ts';
import { CountedFlows } from './counted-flows.ts';
import type { FlowCount } from './flow-tally.ts';
import { halfOpenFlood, type HalfOpenFlood } from './half-open-flood.ts';
import type { AttackClass, JudgedWindow } from './judged-window.ts';
import { outsideSource } from './source-prefix.ts';
import { ofOneSpeaker, witnessOf, type Witness } from './witness.ts';

/** Which windows, or which of the flows that were counted, may prove a rule. */
export interface Counted {
  /** Only those later than this. */
  readonly afterUs?: number;
  /** Only what the device was seen to send. */
  readonly isFirstHand?: boolean;
  /** Only what was sent on the device's own link, with whichever MAC. */
  readonly isOnLink?: boolean;
  /**
   * Only windows in which this address spoke with the MAC that it spoke with last, or did not speak: another window may be
   * a forger's. The device itself, where it is first-hand.
   */
  readonly speaker?: string | undefined;
  /** Only what points to this host, as `hostsOf` names it. */
  readonly toward?: string | undefined;
}

/** N of M were reached, the newest window among them. */
export interface Proof {
  /** How many windows of the last `of` matched. */
  readonly hits: number;
  readonly of: number;
  /** Packet time of the oldest match, µs. */
  readonly sinceUs: number;
  /** The class that most matches name of those that the newest can be; the newer of equals. */
  readonly attack: AttackClass;
  /**
   * What the newest match plainly shows: then every match does, and the network was not asked. It names a service to
   * protect and nobody to blame. Null: the network's word, or a count.
   */
  readonly flood: HalfOpenFlood | null;
  /** So many flows of one host that it needs no network either. It stands for itself: for one window of one. */
  readonly counted: FlowCount | null;
}

interface Match {
  /** `newest` is the last of them. */
  readonly hits: readonly Witness[];
  /** The newest window of the device. */
  readonly newest: Witness;
  readonly of: number;
}

/** The most windows a rule may look back on (`of_windows`). */
const maxWindows = 20;
/** Older windows say nothing about now. */
const maxAgeUs = 3_600_000_000;
/** Flows are shown again for a shorter while than this: knocks that lie further ahead are of before a clock was set back. */
const knocksStayUs = 300_000_000;

export class Evidence {
  readonly #witnesses: BoundedMap<string, Witness[]>;
  readonly #firedAtUs: BoundedMap<string, number>;
  /** When the newest knock of the last plain window began, by device. */
  readonly #knockedUntilUs: BoundedMap<string, number>;
  readonly #counted: CountedFlows;

  constructor(capacity = 4096) {
    this.#witnesses = new BoundedMap(capacity);
    this.#firedAtUs = new BoundedMap(capacity * 4);
    this.#knockedUntilUs = new BoundedMap(capacity);
    this.#counted = new CountedFlows(capacity);
  }

  /** Devices, cooldowns and counts that were forgotten for others. */
  get evicted(): number {
    const witnessed = this.#witnesses.evicted + this.#knockedUntilUs.evicted;
    return witnessed + this.#firedAtUs.evicted + this.#counted.evicted;
  }

  /** Remembers the window where enough of it is new, and counts its flows in any case. `pointsTo`: see `Witness`. */
  add(window: JudgedWindow, pointsTo: readonly string[] = []): void {
    this.#counted.add(window);
    if (!window.countsAsEvidence) return;
    const { address } = window.device;
    const witnesses = this.#witnesses.get(address) ?? [];
    witnesses.push(witnessOf(window, this.#newFlood(window), pointsTo));
    if (witnesses.length > maxWindows) witnesses.shift();
    this.#witnesses.set(address, witnesses);
  }

  /**
   * A flood whose knocks all came after those that proved the window before: flows of one burst are updated, and shown
   * again, each time that an answer is repeated.
   */
  #newFlood(window: JudgedWindow): HalfOpenFlood | undefined {
    const { address } = window.device;
    const known = this.#knockedUntilUs.get(address);
    const afterUs = known === undefined || known - window.atUs > knocksStayUs ? Number.NEGATIVE_INFINITY : known;
    const flood = halfOpenFlood(window, afterUs);
    if (flood !== undefined) this.#knockedUntilUs.set(address, flood.untilUs);
    return flood;
  }

  /**
   * By the network's word. Undefined where the rule is not met, or the newest window of the device is not among its
   * matches. What is plain anyway is left to `provePlain`, lest somebody be looked for behind forged sources.
   */
  prove(rule: Rule, device: string, counted: Counted = {}): Proof | undefined {
    const match = this.#match(rule, device, counted, (witness) => isNamed(rule, witness));
    if (match === undefined) return undefined;
    const named = match.hits.map((hit) => hit.attack).filter((name) => match.newest.canBe.has(name));
    return { ...proofOf(match), attack: mostNamed(named), flood: null, counted: null };
  }

  /** By the flows alone, whatever the network said of the same windows. Undefined likewise. */
  provePlain(rule: Rule, device: string): Proof | undefined {
    if (!namesClass(rule, 'ddos_flood')) return undefined;
    const match = this.#match(rule, device, {}, ({ flood }) => flood !== undefined);
    const flood = match?.hits.at(-1)?.flood;
    return match && flood && { ...proofOf(match), attack: 'ddos_flood', flood, counted: null };
  }

  /**
   * By what was counted until the newest window, which added to it; whatever the network said. Each host by itself. How
   * many windows the rule asks for is about the network's word: so many flows are more than any window shows.
   */
  proveCounted(rule: Rule, device: string): readonly Proof[] {
    return this.#counted
      .reached(device)
      .filter(({ attack, flows }) => namesClass(rule, attack) && flows >= rule.min_flows)
      .map((counted) => ({ hits: 1, of: 1, sinceUs: counted.sinceUs, attack: counted.attack, flood: null, counted }));
  }

  /** Is this proof one by no more of its evidence than that? Never asked of a flood's, which blames nobody. */
  stillProves(
    rule: Rule,
    { counted }: Proof,
    device: string,
    { afterUs = Number.NEGATIVE_INFINITY, isFirstHand = false, isOnLink = isFirstHand, speaker, toward }: Counted,
  ): boolean {
    if (counted === null)
      return this.prove(rule, device, { afterUs, isFirstHand, isOnLink, speaker, toward }) !== undefined;
    return this.#counted.holds(
      device,
      counted,
      ({ atUs, isRelayed, isContested, dstIp }) =>
        atUs > afterUs &&
        !(isOnLink && isRelayed) &&
        !(isFirstHand && isContested) &&
        // what others sent to the device was counted of one host already
        (toward === undefined || dstIp === device || dstIp === toward || outsideSource(dstIp).value === toward),
    );
  }

  #match(
    rule: Rule,
    device: string,
    {
      afterUs = Number.NEGATIVE_INFINITY,
      isFirstHand = false,
      isOnLink = isFirstHand,
      speaker = isFirstHand ? device : undefined,
      toward,
    }: Counted,
    matches: (witness: Witness) => boolean,
  ): Match | undefined {
    const witnesses = this.#witnesses.get(device) ?? [];
    const newest = witnesses.at(-1);
    if (newest === undefined) return undefined;
    const counted = witnesses
      .filter(({ flowsSeen, atUs }) => flowsSeen >= rule.min_flows && atUs > afterUs && newest.atUs - atUs <= maxAgeUs)
      .slice(-rule.of_windows);
    const matching = counted.filter(
      (witness) =>
        matches(witness) &&
        !(isOnLink && witness.isRelayed) &&
        !(isFirstHand && witness.isContested) &&
        (toward === undefined || witness.pointsTo.includes(toward)),
    );
    const hits = speaker === undefined ? matching : ofOneSpeaker(matching, speaker);
    if (hits.length < rule.min_windows || hits.at(-1) !== newest) return undefined;
    return { hits, newest, of: counted.length };
  }

  /** True where the rule fired for this device and peer less than its cooldown ago. */
  isResting(rule: Rule, device: string, peer: string | null, nowUs: number): boolean {
    const firedAtUs = this.#firedAtUs.get(restKey(rule, device, peer));
    return firedAtUs !== undefined && Math.abs(nowUs - firedAtUs) < rule.cooldown_seconds * 1_000_000;
  }

  rest(rule: Rule, device: string, peer: string | null, nowUs: number): void {
    this.#firedAtUs.set(restKey(rule, device, peer), nowUs);
  }
}

/** Does the rule speak of attacks of this class? */
export function namesClass(rule: Pick<Rule, 'classes'>, attack: TrafficClass): boolean {
  return attack !== 'benign' && (rule.classes.length === 0 || rule.classes.includes(attack));
}

/** By the network, where it says more than that a plain flood is one: it would say so again at each repeated answer. */
function isNamed(rule: Rule, { score, threshold, attack, isPlain }: Witness): boolean {
  const saysMore = !isPlain || attack !== 'ddos_flood';
  return saysMore && score >= (rule.threshold ?? threshold) && namesClass(rule, attack);
}

function proofOf({ hits, of }: Pick<Match, 'hits' | 'of'>): Pick<Proof, 'hits' | 'of' | 'sinceUs'> {
  return { hits: hits.length, of, sinceUs: Math.min(...hits.map((hit) => hit.atUs)) };
}

function restKey(rule: Rule, device: string, peer: string | null): string {
  return `${rule.id} ${device} ${peer ?? '-'}`;
}

function mostNamed(classes: readonly AttackClass[]): AttackClass {
  const counts = new Map<AttackClass, number>();
  for (const name of classes) counts.set(name, (counts.get(name) ?? 0) + 1);
  return classes.reduceRight((best, name) => ((counts.get(name) ?? 0) > (counts.get(best) ?? 0) ? name : best));
}
