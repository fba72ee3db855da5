/** What rules asked for and still lasts, so that nothing is asked for twice, and how long each time. Packet times in µs. */
import type { Decision } from '../contract/decision.ts';
import type { DeviceStep, Rule } from '../contract/rule.ts';
import { BoundedMap } from './bounded-map.ts';
import type { Measure, MeasureRecord, Proven } from './measures.ts';
import { durationSeconds, Offences, type Offence } from './offences.ts';
import { restrictionKey, type Restriction } from './restriction.ts';

interface Running extends Pick<MeasureRecord, 'ruleId' | 'who' | 'sinceUs' | 'untilUs'> {
  /** What its offender had done before. */
  readonly before: Offence | undefined;
}

/** An offence as it begins. */
interface Begun extends Pick<Running, 'before'> {
  readonly seconds: number;
}

export class MeasureBook {
  readonly #offences: Offences;
  /** By `restrictionKey`: many devices under one attacker make one decision. */
  readonly #running: BoundedMap<string, Running>;

  constructor(capacity: number) {
    this.#offences = new Offences(capacity);
    this.#running = new BoundedMap(capacity);
  }

  get evicted(): number {
    return this.#offences.evicted + this.#running.evicted;
  }

  offenceOf(rule: Rule, who: string, atUs: number): Offence | undefined {
    return this.#offences.of(rule, who, atUs);
  }

  /** A step that restricts nothing is a step all the same. */
  noteStep(rule: Rule, who: string, atUs: number, place: number): void {
    this.#offences.note(rule, who, atUs, place);
  }

  /** It never held: its offender has got no further, unless something else that was asked for with it holds. */
  forget(restriction: Restriction): void {
    const key = restrictionKey(restriction);
    const running = this.#running.get(key);
    if (running === undefined) return;
    this.#running.delete(key);
    const { ruleId, who, sinceUs, untilUs, before } = running;
    const latest = who === null ? undefined : this.#offences.latest(ruleId, who);
    if (who === null || latest === undefined) return;
    const isJoined = before?.firedAtUs === latest.firedAtUs && latest.untilUs === untilUs;
    if (latest.firedAtUs !== sinceUs && !isJoined) return;
    if (this.#ofOneOffence(ruleId, who, sinceUs) === undefined) this.#offences.putBack(ruleId, who, before);
  }

  /** Of what was asked for against this offender at this moment, and lasts. */
  #ofOneOffence(ruleId: string, who: string, atUs: number): Begun | undefined {
    for (const [, running] of this.#running.entries()) {
      if (running.ruleId !== ruleId || running.who !== who || running.sinceUs !== atUs) continue;
      return { before: running.before, seconds: Math.round((running.untilUs - atUs) / 1_000_000) };
    }
    return undefined;
  }

  forgive(restriction: Restriction): void {
    const running = this.#running.get(restrictionKey(restriction));
    if (running !== undefined && running.who !== null) this.#offences.forgive(running.ruleId, running.who);
  }

  /** `who`: whose offence it is; null: nobody's. */
  take(
    { rule, proof }: Proven,
    restriction: Restriction,
    who: string | null,
    atUs: number,
    rung?: { readonly step: DeviceStep; readonly place: number },
  ): Measure {
    const another = who === null ? undefined : this.#ofOneOffence(rule.id, who, atUs);
    const { before, seconds } = another === undefined ? this.#begin(rule, who, atUs, rung?.place) : another;
    const untilUs = atUs + seconds * 1_000_000;
    this.#running.set(restrictionKey(restriction), { sinceUs: atUs, untilUs, ruleId: rule.id, who, before });
    const times = who === null ? 1 : (this.#offences.of(rule, who, atUs)?.times ?? 1);
    return { rule, proof, restriction, durationSeconds: seconds, times, step: rung?.step ?? null, isContested: false };
  }

  /** One offence more, where it is anybody's: what he had done before, and for how long it is this time. */
  #begin(rule: Rule, who: string | null, atUs: number, place: number | undefined): Begun {
    if (who === null) return { before: undefined, seconds: rule.duration_seconds };
    const before = this.#offences.latest(rule.id, who);
    return { before, seconds: this.#offences.note(rule, who, atUs, place) };
  }

  /** One restriction more of an offence that lasts, and is no other for it: as long as its first, and it lasts until both end. */
  join(
    { rule, proof }: Proven,
    restriction: Restriction,
    { who, atUs, before, step }: { who: string; atUs: number; before: Offence; step: DeviceStep },
  ): Measure {
    const seconds = durationSeconds(rule, before.times);
    const untilUs = atUs + seconds * 1_000_000;
    this.#offences.putBack(rule.id, who, { ...before, untilUs });
    this.#running.set(restrictionKey(restriction), { sinceUs: atUs, untilUs, ruleId: rule.id, who, before });
    return { rule, proof, restriction, durationSeconds: seconds, times: before.times, step, isContested: false };
  }

  /** When each restriction began that this rule asked for against him and that lasts. */
  heldSinceUs(rule: Rule, who: string, atUs: number): readonly number[] {
    const held: number[] = [];
    for (const [key, running] of this.#running.entries()) {
      if (running.ruleId === rule.id && running.who === who && this.isRunning(key, atUs)) held.push(running.sinceUs);
    }
    return held;
  }

  isRunning(key: string, atUs: number): boolean {
    const running = this.#running.get(key);
    // Far before it began a clock was set back, and nobody knows: it is asked for again rather than never.
    return running !== undefined && Math.abs(atUs - running.sinceUs) < running.untilUs - running.sinceUs;
  }

  /** What is to be remembered of it over a restart; undefined where no rule asked for it. */
  recordOf(restriction: Restriction): MeasureRecord | undefined {
    const key = restrictionKey(restriction);
    const running = this.#running.get(key);
    if (running === undefined) return undefined;
    const { ruleId, who, sinceUs, untilUs } = running;
    const offence = who === null ? undefined : this.#offences.latest(ruleId, who);
    return { key, ruleId, who, sinceUs, untilUs, times: offence?.times ?? 0, step: offence?.step ?? 0 };
  }

  /**
   * What was remembered, at a start: who was restricted before, and what is not to be asked for again, because it is held
   * or because a person lifted it before its end.
   */
  restore(held: readonly Decision[], known: readonly MeasureRecord[], lifted: readonly MeasureRecord[]): void {
    for (const { ruleId, who, sinceUs, untilUs, times, step } of known) {
      if (who === null || times === 0 || (this.#offences.latest(ruleId, who)?.firedAtUs ?? 0) > sinceUs) continue;
      this.#offences.putBack(ruleId, who, { times, firedAtUs: sinceUs, untilUs, step });
    }
    for (const record of lifted) this.#running.set(record.key, { ...record, before: undefined });
    const byKey = new Map(known.map((record) => [record.key, record]));
    for (const decision of held) {
      if (decision.rule_id === null) continue;
      const key = restrictionKey(decision);
      const record = byKey.get(key);
      const who = record?.who ?? null;
      this.#running.set(key, {
        ruleId: decision.rule_id,
        who,
        ...timesOf(decision, record),
        before: who === null ? undefined : this.#offences.latest(decision.rule_id, who),
      });
    }
  }
}

/** A decision is made a moment after it was asked for; no more than this. */
const admittedWithinUs = 60_000_000;

/** As it was written down, unless a clock was set since: the decision's own times have moved with it. */
function timesOf(decision: Decision, record: MeasureRecord | undefined): Pick<Running, 'sinceUs' | 'untilUs'> {
  const sinceUs = Date.parse(decision.created_at) * 1000;
  const untilUs = Date.parse(decision.expires_at) * 1000;
  const isSame = (one: number, other: number): boolean => Math.abs(one - other) <= admittedWithinUs;
  return record !== undefined && isSame(record.sinceUs, sinceUs) && isSame(record.untilUs, untilUs)
    ? { sinceUs: record.sinceUs, untilUs: record.untilUs }
    : { sinceUs, untilUs };
}
