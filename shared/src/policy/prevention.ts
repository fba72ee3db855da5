/**
 * Rules applied to windows: the one place where it is decided that something is restricted, what, and for how long. The
 * gateway acts on it, the controller replays past windows through it. Reads no clock and does no I/O; time is packet
 * time, so that a replayed capture gets the decisions it got live.
 */
import type { Decision, DecisionScope, Mode } from '../contract/decision.ts';
import type { Rule } from '../contract/rule.ts';
import { BoundedMap } from './bounded-map.ts';
import { CulpritFinder, type Culprits } from './culprits.ts';
import { DeviceLadder } from './device-ladder.ts';
import { Evidence, type Proof } from './evidence.ts';
import { flowsOfCount, isOfManyHosts } from './flow-tally.ts';
import { allFlows, type JudgedWindow } from './judged-window.ts';
import { MeasureBook } from './measure-book.ts';
import { noMeasures, type Measure, type MeasureRecord, type Measures, type Proven } from './measures.ts';
import { hostsOf, peerOf, type Offender } from './offender.ts';
import { findOffender } from './offending-peer.ts';
import { OutsideHosts } from './outside-hosts.ts';
import {
  isHeldAgainst,
  isTelling,
  restrictConversation,
  restrictDevice,
  restrictionKey,
  type Restriction,
} from './restriction.ts';
import { isExcepted } from './rule-exception.ts';
import { isScheduled } from './rule-schedule.ts';
import { speaksOf } from './rule-scope.ts';

export interface PreventionOptions {
  readonly rules: readonly Rule[];
  /** Devices, offenders and restrictions that are remembered, each. */
  readonly capacity?: number;
  /** The gateway's own, canonical text. */
  readonly ownAddresses?: () => ReadonlySet<string>;
  /** What would be refused anyway: then a narrower restriction is looked for. */
  readonly isGuarded?: (scope: DecisionScope, value: string) => boolean;
}

export class Prevention {
  readonly #options: PreventionOptions;
  readonly #evidence: Evidence;
  readonly #book: MeasureBook;
  readonly #ladder: DeviceLadder;
  readonly #outside: OutsideHosts;
  readonly #finder: CulpritFinder;
  /** What was asked for and is at most counted, by `restrictionKey`. */
  readonly #onPaper: BoundedMap<string, Restriction>;
  #rules: readonly Rule[];

  constructor(options: PreventionOptions) {
    const capacity = options.capacity ?? 4096;
    this.#options = options;
    this.#rules = options.rules;
    this.#evidence = new Evidence(capacity);
    this.#book = new MeasureBook(capacity);
    this.#ladder = new DeviceLadder(this.#evidence, this.#book, (restrictions) => this.#sparingUs(restrictions));
    this.#outside = new OutsideHosts((scope, value) => options.isGuarded?.(scope, value) === true, capacity);
    this.#finder = new CulpritFinder(this.#evidence, () => options.ownAddresses?.(), capacity);
    this.#onPaper = new BoundedMap(capacity);
  }

  /** Devices, cooldowns and offenders that had to be forgotten. */
  get evicted(): number {
    return this.#evidence.evicted + this.#book.evicted + this.#outside.evicted + this.#finder.evicted;
  }

  /**
   * From here on these rules count, in this order; what was seen so far counts for them too. What was held on paper only
   * is asked for again, as if for the first time: under the new rules, or a new mode, it may be more than paper.
   */
  useRules(rules: readonly Rule[]): void {
    this.#rules = rules;
    for (const [key, restriction] of this.#onPaper.entries()) {
      this.#book.forgive(restriction);
      this.#book.forget(restriction);
      this.#onPaper.delete(key);
    }
  }

  /** Remembers what the window says and answers the rules that it proves. Once for each window, in packet order. */
  weigh(window: JudgedWindow): readonly Proven[] {
    this.#evidence.add(window, this.#pointsTo(window));
    this.#outside.note(window);
    this.#finder.note(window);
    const { address } = window.device;
    return this.#rules.flatMap((rule) => {
      if (!rule.is_enabled || !speaksOf(rule, window.device)) return [];
      const witnessed = window.countsAsEvidence
        ? [this.#evidence.prove(rule, address), this.#evidence.provePlain(rule, address)]
        : [];
      const proofs = [...witnessed, ...this.#evidence.proveCounted(rule, address)];
      return proofs.flatMap((proof) => (proof === undefined ? [] : [{ rule, proof }]));
    });
  }

  /** Whom it points to by itself, where a rule believes it. */
  #pointsTo(window: JudgedWindow): readonly string[] {
    const { countsAsEvidence, score, threshold, attack, flows } = window;
    const isBelieved =
      countsAsEvidence && flows.length > 0 && this.#rules.some((rule) => score >= (rule.threshold ?? threshold));
    return isBelieved ? hostsOf(findOffender(window, attack, this.#options.ownAddresses?.())) : [];
  }

  /**
   * Nobody is looked for behind a plain flood: its sources are forged, and whoever else is in the window is innocent. Of what
   * was counted only its host is in question, and whom it was counted against.
   */
  offenderOf(
    window: JudgedWindow,
    { attack, flood, counted }: Pick<Proof, 'attack'> & Partial<Pick<Proof, 'flood' | 'counted'>>,
  ): Offender {
    if (flood != null) return { kind: 'target', service: { protocol: 'tcp', port: flood.port } };
    const seen = allFlows(window);
    const flows = counted == null ? [] : flowsOfCount(counted, seen);
    const shown = flows.length > 0 ? { ...window, flows, flowImportance: null, seen } : window;
    const offender = findOffender(shown, attack, this.#options.ownAddresses?.());
    // forged sources are many: each of them would be an alert of its own
    const isNobody =
      counted != null &&
      offender.kind === 'peers' &&
      !offender.isInside &&
      !offender.isGenuine &&
      !this.#outside.mayName(window.device.address, offender.peers, window.atUs);
    if (isNobody) return { kind: 'target', service: offender.service };
    // the newest window may show one host of a sweep among all that the device does else
    if (counted == null || offender.kind !== 'destination' || !isOfManyHosts(counted, offender.peer)) return offender;
    const { peer: _oneOfThem, ...many } = offender;
    return { ...many, kind: 'device' };
  }

  /** What follows from one finding (`findingsOf`): the first of its rules that acts does, for what that rule names. */
  act(window: JudgedWindow, finding: readonly Proven[]): Measures {
    const isNow = (rule: Rule): boolean => isScheduled(rule.schedule, window.atUs / 1000);
    const others = this.#rules.filter((rule) => rule.is_enabled && speaksOf(rule, window.device) && isNow(rule));
    for (const acting of finding) {
      if (isTelling(acting.rule) || !isNow(acting.rule)) continue;
      const offender = this.offenderOf(window, acting.proof);
      const culprits = this.#finder.find(acting, window, offender);
      const side = culprits === 'outside' || culprits === 'translated' ? 'outside' : 'device';
      if (!isExcepted(acting, others, side)) return this.#actOn(acting, window, offender, culprits);
    }
    return noMeasures;
  }

  #actOn(acting: Proven, window: JudgedWindow, offender: Offender, culprits: Culprits): Measures {
    const answer = (restrictions: readonly Restriction[], isBlamed = true): Measures =>
      this.#answer(acting, window, offender, restrictions, isBlamed);
    if (culprits === 'translated')
      return answer(this.#sparingUs(this.#outside.restrictBeyondTranslation(acting.rule, offender, window)));
    if (culprits === 'outside') return answer(this.#outside.restrict(acting, window, offender));
    if (culprits === 'contested') {
      const peer = peerOf(offender);
      return peer === null ? noMeasures : answer(restrictConversation(acting.rule, window.device.address, peer), false);
    }
    if (acting.rule.device_ladder.length === 0) {
      const restrictions = culprits.flatMap((culprit) => restrictDevice(acting.rule, culprit, offender));
      return answer(this.#sparingUs(restrictions));
    }
    const climbed = culprits.map((culprit) => this.#ladder.climb(acting, culprit, window, offender));
    return { taken: climbed.flatMap(({ taken }) => taken), running: climbed.flatMap(({ running }) => running) };
  }

  /** In which mode it is held. Nobody was restricted by what is only observed, or counted. */
  noteHeld(restriction: Restriction, mode: Mode): void {
    const key = restrictionKey(restriction);
    if (mode === 'enforce') this.#onPaper.delete(key);
    else this.#onPaper.set(key, restriction);
  }

  /** See `MeasureBook.recordOf`: undefined for what is at most counted as well, for that restricted nobody. */
  recordOf(restriction: Restriction): MeasureRecord | undefined {
    return this.#onPaper.get(restrictionKey(restriction)) === undefined ? this.#book.recordOf(restriction) : undefined;
  }

  /** See `MeasureBook.restore`. Before anything is weighed. */
  restore(held: readonly Decision[], known: readonly MeasureRecord[], lifted: readonly MeasureRecord[]): void {
    this.#book.restore(held, known, lifted);
    for (const decision of held) if (decision.rule_id !== null) this.noteHeld(decision, decision.mode);
  }

  /** It could not be held: ask again when it is called for again, and hold nothing against anybody for it. */
  forget(restriction: Restriction): void {
    this.#book.forget(restriction);
  }

  /** A person lifted it: it is not asked for again before its end, and its offender begins anew after it. */
  forgive(restriction: Restriction): void {
    this.#onPaper.delete(restrictionKey(restriction));
    this.#book.forgive(restriction);
  }

  /** Whoever attacks the gateway itself is kept from it: the gateway is the attacked end of a pair, and no value by itself. */
  #sparingUs(restrictions: readonly Restriction[]): readonly Restriction[] {
    const own = this.#options.ownAddresses?.();
    if (own === undefined) return restrictions;
    return restrictions.flatMap((restriction) => {
      const [peer = '', device] = restriction.value.split(' ');
      if (!own.has(peer)) return [restriction];
      return restriction.scope === 'pair' && device !== undefined && !own.has(device)
        ? [{ ...restriction, value: `${device} ${peer}` }]
        : [];
    });
  }

  /** The restrictions as measures, but for what rests or is asked for already. `isBlamed`: held against whom they name. */
  #answer(
    { rule, proof }: Proven,
    { device, atUs }: JudgedWindow,
    offender: Offender,
    restrictions: readonly Restriction[],
    isBlamed: boolean,
  ): Measures {
    const peer = peerOf(offender);
    if (this.#evidence.isResting(rule, device.address, peer, atUs)) return noMeasures;
    this.#evidence.rest(rule, device.address, peer, atUs);
    const taken: Measure[] = [];
    const running: string[] = [];
    const seen = new Set<string>();
    for (const restriction of restrictions) {
      const key = restrictionKey(restriction);
      if (seen.has(key)) continue;
      seen.add(key);
      const who = isBlamed && isHeldAgainst(restriction) ? restriction.value : null;
      if (this.#book.isRunning(key, atUs)) running.push(key);
      else taken.push({ ...this.#book.take({ rule, proof }, restriction, who, atUs), isContested: !isBlamed });
    }
    return { taken, running };
  }
}
