/**
 * Rules applied to windows: the one place where it is decided that something is restricted, what, and for how long. The
 * gateway acts on it, the controller replays past windows through it. Reads no clock and does no I/O; time is packet
 * time, so that a replayed capture gets the decisions it got live.
 */
import type { DeviceRef } from '../contract/address.ts';
import type { DecisionScope } from '../contract/decision.ts';
import type { DeviceStep, Rule } from '../contract/rule.ts';
import { BoundedMap } from './bounded-map.ts';
import { Crowd } from './crowd.ts';
import { Evidence, type Proof } from './evidence.ts';
import type { JudgedWindow } from './judged-window.ts';
import { findOffender, type Offender } from './offending-peer.ts';
import { Offences } from './offences.ts';
import {
  isTelling,
  protectTarget,
  restrictBeyondTranslation,
  restrictDevice,
  restrictionKey,
  restrictionOfStep,
  restrictSource,
  type Restriction,
} from './restriction.ts';
import { isScheduled } from './rule-schedule.ts';
import { outsideSource, type Source } from './source-prefix.ts';

export interface PreventionOptions {
  readonly rules: readonly Rule[];
  /** Devices, offenders and restrictions that are remembered, each. */
  readonly capacity?: number;
  /** The gateway's own, canonical text. */
  readonly ownAddresses?: () => ReadonlySet<string>;
  /** What would be refused anyway: then a narrower restriction is looked for. */
  readonly isGuarded?: (scope: DecisionScope, value: string) => boolean;
}

/** A rule whose evidence is there. */
export interface Proven {
  readonly rule: Rule;
  readonly proof: Proof;
}

/** One restriction that a rule asks for now. */
export interface Measure {
  readonly rule: Rule;
  readonly proof: Proof;
  readonly restriction: Restriction;
  readonly durationSeconds: number;
  /** How often its offender was restricted under this rule, this time included. */
  readonly times: number;
  /** The step of the rule's ladder that it is; null: no ladder was climbed. */
  readonly step: DeviceStep | null;
}

export interface Measures {
  /** To be taken now. */
  readonly taken: readonly Measure[];
  /** Keys of restrictions that were asked for before, last still and cover this. */
  readonly running: readonly string[];
}

interface Running {
  readonly untilUs: number;
  readonly ruleId: string;
  /** Whose offence it is; null: it protects a target and is held against nobody. */
  readonly who: string | null;
}

const none: Measures = { taken: [], running: [] };

export class Prevention {
  readonly #options: PreventionOptions;
  readonly #evidence: Evidence;
  readonly #offences: Offences;
  readonly #crowd: Crowd;
  /** By `restrictionKey`: what was asked for and lasts, so that many devices under one attacker make one decision. */
  readonly #running: BoundedMap<string, Running>;
  /** By address, as its own windows told. */
  readonly #macs: BoundedMap<string, string>;
  #rules: readonly Rule[];

  constructor(options: PreventionOptions) {
    const capacity = options.capacity ?? 4096;
    this.#options = options;
    this.#rules = options.rules;
    this.#evidence = new Evidence(capacity);
    this.#offences = new Offences(capacity);
    this.#crowd = new Crowd(capacity);
    this.#running = new BoundedMap(capacity);
    this.#macs = new BoundedMap(capacity);
  }

  /** Devices, cooldowns and offenders that had to be forgotten. */
  get evicted(): number {
    return this.#evidence.evicted + this.#offences.evicted;
  }

  /** From here on these rules count, in this order; what was seen so far counts for them too. */
  useRules(rules: readonly Rule[]): void {
    this.#rules = rules;
  }

  /** Remembers what the window says and answers the rules that it proves. Once for each window, in packet order. */
  weigh(window: JudgedWindow): readonly Proven[] {
    this.#evidence.add(window);
    const { address, mac } = window.device;
    if (mac !== null) this.#macs.set(address, mac);
    if (!window.countsAsEvidence) return [];
    return this.#rules.flatMap((rule) => {
      if (!rule.is_enabled || !speaksOf(rule, window.device)) return [];
      const proof = this.#evidence.prove(rule, address);
      return proof === undefined ? [] : [{ rule, proof }];
    });
  }

  offenderOf(window: JudgedWindow, attack: Proof['attack']): Offender {
    return findOffender(window, attack, this.#options.ownAddresses?.());
  }

  /** What follows from the first of the proven rules that acts. */
  act(window: JudgedWindow, proven: readonly Proven[], offender: Offender): Measures {
    const acting = proven.find(({ rule }) => !isTelling(rule) && isScheduled(rule.schedule, window.atUs / 1000));
    if (acting === undefined) return none;
    const culprits = this.#culprits(window, offender);
    if (culprits === 'translated') {
      return this.#answer(acting, window, offender, this.#sparingUs(restrictBeyondTranslation(acting.rule, offender)));
    }
    if (culprits === 'outside') return this.#answer(acting, window, offender, this.#outside(acting, window, offender));
    if (acting.rule.device_ladder.length === 0) {
      const restrictions = culprits.flatMap((culprit) => restrictDevice(acting.rule, culprit, offender));
      return this.#answer(acting, window, offender, this.#sparingUs(restrictions));
    }
    const climbed = culprits.map((culprit) => this.#climb(acting, culprit, window, offender));
    return { taken: climbed.flatMap(({ taken }) => taken), running: climbed.flatMap(({ running }) => running) };
  }

  /** It could not be held: ask again when it is called for again. */
  forget(restriction: Restriction): void {
    this.#running.delete(restrictionKey(restriction));
  }

  /** A person lifted it: it is not asked for again before its end, and its offender begins anew after it. */
  forgive(restriction: Restriction): void {
    const running = this.#running.get(restrictionKey(restriction));
    if (running !== undefined && running.who !== null) this.#offences.forgive(running.ruleId, running.who);
  }

  /** The devices of the LAN that are to be restricted, or why there is none. */
  #culprits({ device }: JudgedWindow, offender: Offender): readonly DeviceRef[] | 'outside' | 'translated' {
    switch (offender.kind) {
      case 'target':
        return 'outside';
      case 'peers':
        return offender.isInside
          ? offender.peers.map((address) => ({ address, mac: this.#macs.get(address) ?? null }))
          : 'outside';
      case 'destination':
      case 'device':
        return this.#options.ownAddresses?.().has(device.address) === true ? 'translated' : [device];
    }
  }

  #outside({ rule, proof }: Proven, { device, atUs }: JudgedWindow, offender: Offender): readonly Restriction[] {
    if (offender.kind !== 'peers' && offender.kind !== 'target') return [];
    const target = protectTarget(proof.attack, device, offender.service);
    if (offender.kind === 'target') return target;
    const { peers, isGenuine } = offender;
    if (!isGenuine && !this.#crowd.mayName(device.address, peers, atUs)) return target;
    if (isGenuine) for (const peer of peers) this.#crowd.networkOf(peer, atUs); // all are known before one is judged
    const sources = peers.map((peer) => restrictSource(rule, this.#sourceOf(peer, isGenuine, atUs)));
    // the sources of a flood may be joined by others at any moment: the service gets a bound as well
    return proof.attack === 'ddos_flood' && offender.service !== null ? [...sources, ...target] : sources;
  }

  /** A network where that is what attacks, and never one that holds what the guard protects. */
  #sourceOf(peer: string, isGenuine: boolean, atUs: number): Source {
    const candidates = [isGenuine ? this.#crowd.networkOf(peer, atUs) : undefined, outsideSource(peer)];
    const free = candidates.find(
      (source) => source !== undefined && this.#options.isGuarded?.(source.scope, source.value) !== true,
    );
    return free ?? { scope: 'ip', value: peer };
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

  /** The restrictions as measures, but for what rests or is asked for already. */
  #answer(
    { rule, proof }: Proven,
    { device, atUs }: JudgedWindow,
    offender: Offender,
    restrictions: readonly Restriction[],
  ): Measures {
    const peer = peerOf(offender);
    if (this.#evidence.isResting(rule, device.address, peer, atUs)) return none;
    this.#evidence.rest(rule, device.address, peer, atUs);
    const taken: Measure[] = [];
    const running: string[] = [];
    const seen = new Set<string>();
    for (const restriction of restrictions) {
      const key = restrictionKey(restriction);
      if (seen.has(key)) continue;
      seen.add(key);
      if (this.#isRunning(key, atUs)) running.push(key);
      else
        taken.push(
          this.#take({ rule, proof }, restriction, isHeldAgainst(restriction) ? restriction.value : null, atUs),
        );
    }
    return { taken, running };
  }

  /** The next step of the ladder for a device that goes on in spite of the one before. */
  #climb(proven: Proven, culprit: DeviceRef, window: JudgedWindow, offender: Offender): Measures {
    const { rule } = proven;
    const { device, atUs } = window;
    const victim = offender.kind === 'peers' ? device.address : undefined;
    const before = this.#offences.of(rule, culprit.address, atUs);
    if (before === undefined) return this.#step(proven, culprit, offender, victim, 0, atUs);
    const isHeld = atUs < before.untilUs;
    const covering = isHeld
      ? this.#covering(rule.device_ladder[before.step], proven, culprit, offender, victim, atUs)
      : [];
    if (covering.length > 0) return { taken: [], running: covering };
    if (Math.abs(atUs - before.firedAtUs) < rule.cooldown_seconds * 1_000_000) return none;
    if (isHeld) {
      // harsher only on what was seen since: not on the very windows that the step before was taken for
      if (this.#evidence.prove(rule, device.address, before.firedAtUs) === undefined) return none;
    }
    const highest = rule.device_ladder.length - 1;
    if (isHeld && before.step >= highest) return none;
    return this.#step(proven, culprit, offender, victim, Math.min(before.step + 1, highest), atUs);
  }

  /** Keys of what is held already and stops this: then traffic that is still seen is what the restriction drops. */
  #covering(
    step: DeviceStep | undefined,
    { rule }: Proven,
    culprit: DeviceRef,
    offender: Offender,
    victim: string | undefined,
    atUs: number,
  ): readonly string[] {
    if (step === undefined || step === 'observe' || step === 'rate_limit') return [];
    const isInside = offender.kind === 'target' ? false : offender.isInside;
    if (step === 'no_wan' && isInside) return [];
    const restrictions = this.#sparingUs(restrictionOfStep(rule, step, culprit, offender, victim) ?? []);
    return restrictions.map(restrictionKey).filter((key) => this.#isRunning(key, atUs));
  }

  #step(
    { rule, proof }: Proven,
    culprit: DeviceRef,
    offender: Offender,
    victim: string | undefined,
    from: number,
    atUs: number,
  ): Measures {
    for (let place = from; place < rule.device_ladder.length; place++) {
      const step = rule.device_ladder[place]!;
      const restrictions = restrictionOfStep(rule, step, culprit, offender, victim);
      if (restrictions === undefined) continue;
      if (restrictions.length === 0) this.#offences.note(rule, culprit.address, atUs, place);
      const asked = this.#sparingUs(restrictions).map((restriction) => ({
        restriction,
        key: restrictionKey(restriction),
      }));
      return {
        taken: asked
          .filter(({ key }) => !this.#isRunning(key, atUs))
          .map(({ restriction }) => this.#take({ rule, proof }, restriction, culprit.address, atUs, { step, place })),
        running: asked.filter(({ key }) => this.#isRunning(key, atUs)).map(({ key }) => key),
      };
    }
    return none;
  }

  #take(
    { rule, proof }: Proven,
    restriction: Restriction,
    who: string | null,
    atUs: number,
    rung?: { readonly step: DeviceStep; readonly place: number },
  ): Measure {
    const seconds = who === null ? rule.duration_seconds : this.#offences.note(rule, who, atUs, rung?.place);
    this.#running.set(restrictionKey(restriction), { untilUs: atUs + seconds * 1_000_000, ruleId: rule.id, who });
    const times = who === null ? 1 : (this.#offences.of(rule, who, atUs)?.times ?? 1);
    return { rule, proof, restriction, durationSeconds: seconds, times, step: rung?.step ?? null };
  }

  #isRunning(key: string, atUs: number): boolean {
    const running = this.#running.get(key);
    return running !== undefined && atUs < running.untilUs;
  }
}

/** The one other end to name, if there is one. */
export function peerOf(offender: Offender): string | null {
  if (offender.kind === 'peers') return offender.peers[0];
  return offender.kind === 'destination' ? offender.peer : null;
}

/** Is this device one of those that the rule is for? */
export function speaksOf(rule: Rule, { address, mac }: DeviceRef): boolean {
  const isOne = (name: string): boolean => name === address || name === mac;
  if (rule.device !== null) return isOne(rule.device);
  return rule.devices.length === 0 || rule.devices.some(isOne);
}

/** A limit on what reaches a target protects it and accuses nobody. */
function isHeldAgainst({ action, direction }: Restriction): boolean {
  return !(action === 'rate_limit' && direction === 'to');
}
