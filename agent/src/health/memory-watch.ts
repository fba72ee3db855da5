/**
 * Watches how much memory the agent really takes, and says what is to be given up when that nears the bound, or would
 * within seconds if it went on to grow as it does: reasons first, then what is only recorded, then room for more flows.
 * Detection and enforcement are never given up.
 */
import { RecentGrowth } from './recent-growth.ts';

/** In the order in which they are given up. */
export const sheddable = ['explanations', 'reports', 'capacity'] as const;
export type Sheddable = (typeof sheddable)[number];

export interface MemoryWatchOptions {
  readonly maxBytes: number;
  /** Resident bytes of the process. */
  readonly residentBytes: () => number;
  /** Give garbage back to the system; takes tens of milliseconds. */
  readonly collectGarbage: () => void;
  readonly log: (text: string) => void;
}

export interface MemoryState {
  readonly maxBytes: number;
  /** Highest that was seen. */
  readonly peakBytes: number;
  /** What is given up just now. */
  readonly shedding: readonly Sheddable[];
  /** How often each was begun to be given up. */
  readonly shedTimes: number;
  readonly collections: number;
}

/** Shares of the bound, growth counted twice, from which each is given up. */
const limits: Readonly<Record<Sheddable, number>> = { explanations: 0.9, reports: 0.93, capacity: 0.95 };
/** It is taken up again when this much less is used. */
const slack = 0.04;
/**
 * From here on garbage is collected, but no more often than this; twice as seldom each time that it was of no use, unless
 * more would have to be given up.
 */
const collectFrom = 0.85;
const collectEveryMs = 750;
const collectSeldomMs = 12_000;
/** Growth counts from this share on, over this time. */
const growthFrom = 0.68;
const growthWithinMs = 4000;
/** A collection was of use if it gave back this share of the bound. */
const useful = 0.02;
/** What was said is not said again for this long, unless more is given up. */
const silenceMs = 60_000;
const everyMs = 250;

export class MemoryWatch implements Disposable {
  readonly #options: MemoryWatchOptions;
  readonly #listeners = new Set<() => void>();
  readonly #growth: RecentGrowth;
  #timer: NodeJS.Timeout | undefined;
  #given = 0;
  #peakBytes = 0;
  #shedTimes = 0;
  #collections = 0;
  #collectedAtMs = Number.NEGATIVE_INFINITY;
  #collectAfterMs = collectEveryMs;
  #saidAtMs = Number.NEGATIVE_INFINITY;
  #saidGiven = 0;

  constructor(options: MemoryWatchOptions) {
    this.#options = options;
    this.#growth = new RecentGrowth({ fromBytes: growthFrom * options.maxBytes, withinMs: growthWithinMs });
  }

  /** Looks four times a second until it is disposed of. */
  static start(options: MemoryWatchOptions): MemoryWatch {
    const watch = new MemoryWatch(options);
    watch.#timer = setInterval(() => watch.look(performance.now()), everyMs).unref();
    return watch;
  }

  /** Called whenever one more thing is given up, or one less; until what it returns is disposed of. */
  listen(listener: () => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  get state(): MemoryState {
    return {
      maxBytes: this.#options.maxBytes,
      peakBytes: this.#peakBytes,
      shedding: sheddable.slice(0, this.#given),
      shedTimes: this.#shedTimes,
      collections: this.#collections,
    };
  }

  sheds(what: Sheddable): boolean {
    return sheddable.indexOf(what) < this.#given;
  }

  /** One look. Collects first: what garbage took is no reason to give anything up. */
  look(nowMs: number): void {
    const { maxBytes, residentBytes, collectGarbage } = this.#options;
    let bytes = residentBytes();
    this.#peakBytes = Math.max(this.#peakBytes, bytes);
    let soon = bytes + this.#growth.note(nowMs, bytes);
    const wait = this.#stepsAt(soon / maxBytes) > this.#given ? collectEveryMs : this.#collectAfterMs;
    if (soon >= collectFrom * maxBytes && nowMs - this.#collectedAtMs >= wait) {
      this.#collectedAtMs = nowMs;
      this.#collections += 1;
      collectGarbage();
      const before = bytes;
      bytes = residentBytes();
      const wasUseful = before - bytes >= useful * maxBytes;
      this.#collectAfterMs = wasUseful ? collectEveryMs : Math.min(2 * this.#collectAfterMs, collectSeldomMs);
      soon = bytes + this.#growth.note(nowMs, bytes);
    }
    const given = this.#stepsAt(soon / maxBytes);
    if (given === this.#given) return;
    if (given > this.#given) this.#shedTimes += 1;
    this.#given = given;
    for (const listener of this.#listeners) listener();
    if (given <= this.#saidGiven && nowMs - this.#saidAtMs < silenceMs) return;
    this.#saidGiven = given;
    this.#saidAtMs = nowMs;
    const mib = (amount: number): string => `${Math.round(amount / 1_048_576)} MiB`;
    const what = given === 0 ? 'nothing any more' : sheddable.slice(0, given).join(', ');
    this.#options.log(`memory: ${mib(bytes)} of ${mib(maxBytes)} in use; given up: ${what}`);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  /** How many are given up at this share of the bound; one at a time is taken up again. */
  #stepsAt(share: number): number {
    const begun = sheddable.filter((what) => share >= limits[what]).length;
    if (begun >= this.#given) return begun;
    const last = sheddable[this.#given - 1]!;
    return share < limits[last] - slack ? this.#given - 1 : this.#given;
  }
}
