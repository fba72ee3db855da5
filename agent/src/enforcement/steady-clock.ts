/**
 * Time for decisions: it looks like the wall's but never jumps, so that a clock that is set, forward or back, neither
 * ends a decision nor makes it last longer. Many gateways have no battery for their clock and begin in the past.
 */
import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';

/** What time there is. A port: the time of a test, or of a fooled process, comes through it. */
export interface TimeSource {
  /** Names the run of the kernel that `uptimeMs` counts from. */
  readonly bootId: string;
  /** Milliseconds since the kernel started, sleep included. Never goes back. */
  uptimeMs(): number;
  /** Milliseconds since 1970, as the wall clock has it. May jump. */
  wallMs(): number;
}

/** A difference below this is the two clocks read one after the other. */
const toleranceMs = 1500;
const resyncMs = 1000;

export class SteadyClock {
  readonly #source: TimeSource;
  readonly #wallAtStart: number;
  readonly #uptimeAtStart: number;

  constructor(source: TimeSource) {
    this.#source = source;
    this.#wallAtStart = source.wallMs();
    this.#uptimeAtStart = source.uptimeMs();
  }

  get bootId(): string {
    return this.#source.bootId;
  }

  /** Milliseconds since 1970 by the clock as it was when this began. */
  now(): number {
    return this.#wallAtStart + this.uptimeMs() - this.#uptimeAtStart;
  }

  uptimeMs(): number {
    return Math.floor(this.#source.uptimeMs());
  }

  wallMs(): number {
    return this.#source.wallMs();
  }

  /** What to add to `now()` to have the wall's time: 0 until somebody sets the clock. */
  skewMs(): number {
    const skew = this.wallMs() - this.now();
    return Math.abs(skew) < toleranceMs ? 0 : skew;
  }
}

/** The machine's own. */
export function systemTime(): TimeSource {
  let uptimeAt = uptime() * 1000;
  let monotonicAt = performance.now();
  return {
    bootId: readBootId(),
    wallMs: Date.now,
    uptimeMs() {
      // the monotonic clock is quick to read, but stands still while the machine sleeps
      const monotonic = performance.now();
      let now = uptimeAt + monotonic - monotonicAt;
      if (monotonic - monotonicAt > resyncMs) {
        const real = uptime() * 1000;
        if (real > now + resyncMs) now = real;
        uptimeAt = now;
        monotonicAt = monotonic;
      }
      return now;
    },
  };
}

/** Unknown: as if each start of the agent were a start of the machine, which ends decisions rather early. */
function readBootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return `unknown ${process.pid} ${Date.now()}`;
  }
}
