/**
 * One deadline per slot, in packet time: a wheel of buckets, so that setting and clearing cost the same however many
 * flows there are. Deadlines lie at most `wheelSpanUs` ahead and fire up to one tick late, never early.
 */

/** 65.536 ms. */
export const tickUs = 65_536;
const buckets = 2048;
/** 134 s. */
export const wheelSpanUs = tickUs * (buckets - 2);

const none = -1;

export class TimerWheel {
  readonly #heads = new Int32Array(buckets).fill(none);
  readonly #next: Int32Array;
  readonly #previous: Int32Array;
  /** Bucket + 1; 0 is none. */
  readonly #bucketOf: Int32Array;
  #tick = none;
  #set = 0;

  constructor(slots: number) {
    this.#next = new Int32Array(slots);
    this.#previous = new Int32Array(slots);
    this.#bucketOf = new Int32Array(slots);
  }

  /** The time up to which deadlines have fired; the wheel starts where it is first advanced to. */
  get nextTickUs(): number {
    return (this.#tick + 1) * tickUs;
  }

  /** The time of the latest tick; negative before it starts. */
  get timeUs(): number {
    return this.#tick * tickUs;
  }

  /** Begin at this time. Nothing may be set. */
  start(timeUs: number): void {
    this.#tick = Math.max(0, Math.floor(timeUs / tickUs));
  }

  set(slot: number, dueUs: number): void {
    if (this.#bucketOf[slot] !== 0) this.clear(slot);
    let tick = Math.floor(dueUs / tickUs) + 1;
    if (tick <= this.#tick) tick = this.#tick + 1;
    else if (tick > this.#tick + buckets - 1) tick = this.#tick + buckets - 1;
    const bucket = tick % buckets;
    const head = this.#heads[bucket]!;
    this.#next[slot] = head;
    this.#previous[slot] = none;
    if (head !== none) this.#previous[head] = slot;
    this.#heads[bucket] = slot;
    this.#bucketOf[slot] = bucket + 1;
    this.#set++;
  }

  clear(slot: number): void {
    const bucket = this.#bucketOf[slot]! - 1;
    if (bucket === none) return;
    const next = this.#next[slot]!;
    const previous = this.#previous[slot]!;
    if (previous === none) this.#heads[bucket] = next;
    else this.#next[previous] = next;
    if (next !== none) this.#previous[next] = previous;
    this.#bucketOf[slot] = 0;
    this.#set--;
  }

  /** Move on to `timeUs`; `fire` is called for each slot that fell due, with the tick's time. It may set it again. */
  advance(timeUs: number, fire: (slot: number, nowUs: number) => void): void {
    const target = Math.floor(timeUs / tickUs);
    while (this.#tick < target) {
      if (this.#set === 0) {
        this.#tick = target;
        return;
      }
      this.#tick++;
      const bucket = this.#tick % buckets;
      // Emptied from its head: what is set again meanwhile lies in a later bucket.
      for (let slot = this.#heads[bucket]!; slot !== none; slot = this.#heads[bucket]!) {
        this.clear(slot);
        fire(slot, this.#tick * tickUs);
      }
    }
  }
}
