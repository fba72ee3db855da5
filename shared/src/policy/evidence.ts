/**
 * Never a restriction on one window alone: what the last scored windows of each device said, and when a rule last
 * fired for a device and peer. All times are packet times.
 */
import type { Rule } from '../contract/rule.ts';
import type { TrafficClass } from '../features/traffic-classes.ts';
import { BoundedMap } from './bounded-map.ts';
import { halfOpenFlood } from './half-open-flood.ts';
import type { AttackClass, JudgedWindow } from './judged-window.ts';

interface Witness extends Pick<JudgedWindow, 'atUs' | 'score' | 'threshold' | 'attack' | 'flowsSeen'> {
  /** What it shows needs no network to be seen: the score is not asked. */
  readonly isPlain: boolean;
  /** A router brought some of what it shows in the device's own name: it proves nothing against the device. */
  readonly isRelayed: boolean;
}

/** Which windows may prove a rule. */
export interface Counted {
  /** Only windows later than this. */
  readonly afterUs?: number;
  /** Only what the device was seen to send. */
  readonly isFirstHand?: boolean;
}

/** N of M were reached, the newest window among them. */
export interface Proof {
  /** How many windows of the last `of` matched. */
  readonly hits: number;
  readonly of: number;
  /** Packet time of the oldest match, µs. */
  readonly sinceUs: number;
  /** The class that most matches name; the newer of equals. */
  readonly attack: AttackClass;
  /** The newest match is plain from its flows, whatever the network made of them. */
  readonly isPlain: boolean;
}

/** The most windows a rule may look back on (`of_windows`). */
const maxWindows = 20;
/** Older windows say nothing about now. */
const maxAgeUs = 3_600_000_000;

export class Evidence {
  readonly #witnesses: BoundedMap<string, Witness[]>;
  readonly #firedAtUs: BoundedMap<string, number>;

  constructor(capacity = 4096) {
    this.#witnesses = new BoundedMap(capacity);
    this.#firedAtUs = new BoundedMap(capacity * 4);
  }

  /** Devices and cooldowns that were forgotten for others. */
  get evicted(): number {
    return this.#witnesses.evicted + this.#firedAtUs.evicted;
  }

  /** Remembers the window, where enough of it is new. */
  add(window: JudgedWindow): void {
    if (!window.countsAsEvidence) return;
    const { atUs, score, threshold, flowsSeen } = window;
    const isPlain = halfOpenFlood(window) !== undefined;
    const attack = isPlain ? 'ddos_flood' : window.attack;
    const witnesses = this.#witnesses.get(window.device.address) ?? [];
    const { address } = window.device;
    const isRelayed = window.flows.some((flow) => flow.isRelayed === true && flow.srcIp === address);
    witnesses.push({ atUs, score, threshold, attack, flowsSeen, isPlain, isRelayed });
    if (witnesses.length > maxWindows) witnesses.shift();
    this.#witnesses.set(window.device.address, witnesses);
  }

  /** Undefined where the rule is not met, or the newest window of the device is not among its matches. */
  prove(
    rule: Rule,
    device: string,
    { afterUs = Number.NEGATIVE_INFINITY, isFirstHand = false }: Counted = {},
  ): Proof | undefined {
    const witnesses = this.#witnesses.get(device) ?? [];
    const newest = witnesses.at(-1);
    if (newest === undefined) return undefined;
    const counted = witnesses
      .filter(({ flowsSeen, atUs }) => flowsSeen >= rule.min_flows && atUs > afterUs && newest.atUs - atUs <= maxAgeUs)
      .slice(-rule.of_windows);
    const hits = counted.filter((witness) => matches(rule, witness) && !(isFirstHand && witness.isRelayed));
    if (hits.length < rule.min_windows || hits.at(-1) !== newest) return undefined;
    return {
      hits: hits.length,
      of: counted.length,
      sinceUs: Math.min(...hits.map((hit) => hit.atUs)),
      attack: mostNamed(hits.map((hit) => hit.attack)),
      isPlain: newest.isPlain,
    };
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

function matches(rule: Rule, witness: Witness): boolean {
  const isCertain = witness.isPlain || witness.score >= (rule.threshold ?? witness.threshold);
  return isCertain && namesClass(rule, witness.attack);
}

function restKey(rule: Rule, device: string, peer: string | null): string {
  return `${rule.id} ${device} ${peer ?? '-'}`;
}

function mostNamed(classes: readonly AttackClass[]): AttackClass {
  const counts = new Map<AttackClass, number>();
  for (const name of classes) counts.set(name, (counts.get(name) ?? 0) + 1);
  return classes.reduceRight((best, name) => ((counts.get(name) ?? 0) > (counts.get(best) ?? 0) ? name : best));
}
