/** What one kind of flow looks like of which so many from one host are an attack by themselves. */
import { numberInWords, withinInWords } from '../features/feature-words.ts';
import type { AttackClass, JudgedFlow } from './judged-window.ts';

export interface CountedFlow {
  readonly dstIp: string;
  readonly dstPort: number;
  readonly startedAtUs: number;
  /** When it counts, packet time in µs. */
  readonly atUs: number;
  /** See `JudgedFlow`. */
  readonly isRelayed: boolean;
  /** More than one MAC spoke in the name of who began it, in the window that showed it. */
  readonly isContested: boolean;
}

export interface CountedKind {
  readonly name: string;
  readonly attack: AttackClass;
  /** So many of one host … */
  readonly least: number;
  /** … that count within this time, µs. Both lie clear of all honest traffic that there is to measure on. */
  readonly withinUs: number;
  readonly isLike: (flow: JudgedFlow) => boolean;
  /** Flows of one host are counted apart by this. */
  readonly groupOf: (flow: JudgedFlow) => string;
  /** And are one where this is the same; the newest stands for them. */
  readonly itemOf: (flow: JudgedFlow) => string;
  readonly atUsOf: (flow: JudgedFlow) => number;
  /** Those among them that count. */
  readonly telling: (flows: readonly CountedFlow[]) => readonly CountedFlow[];
  /** What was counted, for people. `count` flows or more; the list holds at least one. */
  readonly words: (by: string, count: string, flows: readonly CountedFlow[]) => string;
}

export const tcp = 6;
export const udp = 17;

/** Seen in many windows, it is one flow. */
export function flowIdentity({ dstIp, dstPort, startedAtUs }: JudgedFlow): string {
  return `${dstIp} ${dstPort} ${startedAtUs}`;
}

/** ` within 3 s`; nothing where it was one moment. */
export function spanInWords(flows: readonly CountedFlow[]): string {
  const begins = flows.map(({ startedAtUs }) => startedAtUs);
  const seconds = (Math.max(...flows.map(({ atUs }) => atUs)) - Math.min(...begins)) / 1e6;
  return withinInWords(seconds);
}

/** `one of them`: 38; `at least 60` where no more are remembered. */
export function countInWords(count: number, most: number): string {
  return `${count < most ? '' : 'at least '}${numberInWords(count)}`;
}
