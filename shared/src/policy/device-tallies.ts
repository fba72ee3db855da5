/** What was counted at one device, by kind, who began it, and with which MAC on a link. Bounded. Times are packet times in µs. */
import type { CountedFlow, CountedKind } from './counted-kind.ts';
import { FlowTally, sourceOf, type FlowCount } from './flow-tally.ts';
import type { JudgedFlow } from './judged-window.ts';

/** Forged sources that come one after the other put out what was counted of others at the same device, and nowhere else. */
const most = 256;
/** Where room is short, so many are left to one host: who tries ever other ports is counted at each of them. */
const mostOfSource = 32;
/** A tally without its flows is as large as so many of them. */
const weightOfTally = 2;

interface Tallied {
  readonly tally: FlowTally;
  /** Of the window that added to it last. */
  readonly atUs: number;
}

export class DeviceTallies {
  readonly #maxWeight: number;
  /** Longest untouched first. */
  readonly #tallies = new Map<string, Tallied>();
  /** Those that the newest window added to. */
  readonly #grown = new Set<FlowTally>();
  /** What of these is an attack; undefined until somebody asks. Every rule does, of the same window. */
  #reached: readonly FlowCount[] | undefined;
  #weight = 0;
  #evicted = 0;

  /** `maxWeight`: see `weight`. */
  constructor(maxWeight: number) {
    this.#maxWeight = maxWeight;
  }

  /** Memory that is held, in flows: some 350 bytes each. */
  get weight(): number {
    return this.#weight;
  }

  /** Tallies that were given up for others. */
  get evicted(): number {
    return this.#evicted;
  }

  /** A new window: nothing is added yet, and what is over is forgotten. */
  begin(atUs: number): void {
    this.#grown.clear();
    this.#reached = undefined;
    for (const [key, { tally, atUs: addedAtUs }] of this.#tallies) {
      if (isOver(atUs - addedAtUs, tally.kind.withinUs)) this.#delete(key, tally);
    }
  }

  count(kind: CountedKind, flow: JudgedFlow, atUs: number, isContested: boolean): void {
    const key = keyOf(kind, flow);
    const known = this.#tallies.get(key)?.tally;
    const tally = known ?? new FlowTally(kind, key, sourceOf(flow));
    const before = known === undefined ? 0 : weightOf(known);
    const isAdded = tally.add(flow, isContested);
    if (known === undefined && !isAdded) return;
    this.#weight += weightOf(tally) - before;
    if (!isAdded) return;
    this.#grown.add(tally);
    this.#tallies.delete(key);
    this.#tallies.set(key, { tally, atUs });
    if (this.#tallies.size > most) this.#makeRoom(tally.by);
    while (this.#weight > this.#maxWeight) this.evictOldest();
  }

  takeBack(kind: CountedKind, flow: JudgedFlow): void {
    const tally = this.#tallies.get(keyOf(kind, flow))?.tally;
    if (tally === undefined) return;
    const before = weightOf(tally);
    tally.takeBack(flow);
    this.#weight += weightOf(tally) - before;
  }

  /** What the newest window added to, where that is an attack. */
  reached(): readonly FlowCount[] {
    this.#reached ??= [...this.#grown].flatMap((tally) => tally.count() ?? []);
    return this.#reached;
  }

  /** Is it an attack by those flows alone for which `counts`? */
  holds(key: string, counts: (flow: CountedFlow) => boolean): boolean {
    return this.#tallies.get(key)?.tally.count(counts) !== undefined;
  }

  /** The tally that was not added to for longest. */
  evictOldest(): void {
    for (const [key, { tally }] of this.#tallies) {
      this.#evict(key, tally);
      return;
    }
  }

  /** Of him who took it, where he has many. */
  #makeRoom(by: string): void {
    const own = [...this.#tallies].filter(([, { tally }]) => tally.by === by);
    const [oldest] = own;
    if (oldest === undefined || own.length <= mostOfSource) this.evictOldest();
    else this.#evict(oldest[0], oldest[1].tally);
  }

  #evict(key: string, tally: FlowTally): void {
    this.#delete(key, tally);
    this.#grown.delete(tally);
    this.#evicted += 1;
  }

  #delete(key: string, tally: FlowTally): void {
    this.#tallies.delete(key);
    this.#weight -= weightOf(tally);
  }
}

function weightOf({ size }: FlowTally): number {
  return weightOfTally + size;
}

/** Windows come nearly in order. What lies further ahead than that is of before a clock was set back. */
function isOver(sinceUs: number, withinUs: number): boolean {
  return sinceUs > withinUs || sinceUs < -2 * withinUs;
}

/** On a link anybody may speak in a neighbour's name: what two MACs sent is not added up. */
function keyOf(kind: CountedKind, flow: JudgedFlow): string {
  const mac = flow.direction === 'inbound' ? '' : (flow.srcMac ?? '');
  return `${kind.name} ${sourceOf(flow)} ${mac} ${kind.groupOf(flow)}`;
}
