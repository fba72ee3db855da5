/** Latencies counted in steps of 5 %, so that a million of them cost nothing to keep and quantiles are off by that much. */

export interface LatencyFigures {
  readonly median: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

const step = Math.log(1.05);
/** 1 µs to 1000 s. */
const buckets = Math.ceil(Math.log(1e9) / step);

export class LatencyHistogram {
  readonly #counts = new Float64Array(buckets + 1);
  #total = 0;
  #maxUs = 0;

  add(us: number): void {
    const bucket = us <= 1 ? 0 : Math.min(buckets, Math.floor(Math.log(us) / step));
    this.#counts[bucket]! += 1;
    this.#total += 1;
    if (us > this.#maxUs) this.#maxUs = us;
  }

  /** Milliseconds. */
  figures(): LatencyFigures {
    return { median: this.#at(0.5), p95: this.#at(0.95), p99: this.#at(0.99), max: round(this.#maxUs / 1000) };
  }

  #at(share: number): number {
    let left = share * this.#total;
    for (let bucket = 0; bucket <= buckets; bucket++) {
      left -= this.#counts[bucket]!;
      if (left <= 0) return round(Math.exp((bucket + 0.5) * step) / 1000);
    }
    return round(this.#maxUs / 1000);
  }
}

function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
