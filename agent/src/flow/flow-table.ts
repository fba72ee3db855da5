/**
 * The open flows: a bounded number of slots found by open addressing on a numeric hash. Who goes first when the table
 * is full is decided here; nothing is allocated after construction.
 */
import { recordDoubles } from './flow-fields.ts';
import { SlotIndex } from './slot-index.ts';

const none = -1;

/** Offsets in a slot's key. */
export const keyField = {
  /** Four words each: the smaller end of the conversation and the larger one, as signed numbers. */
  low: 0,
  high: 4,
  /** Port of the smaller end in the upper half. */
  ports: 8,
  /** Protocol as the profile tells it apart, and the IP family. */
  protocolAndFamily: 9,
} as const;
/** Ten are used; sixteen fill one cache line. */
export const keyWords = 16;

/** What a slot is in use for. */
export const slotState = {
  free: 0,
  open: 1,
  /** Handed over and closed; late packets are swallowed. */
  tombstone: 2,
  /** Handed over at the 120 s cut; the next packet continues the conversation. */
  cut: 3,
  /** Open, but nothing came since its last report: its next deadline is the 120 s cut. */
  dozing: 4,
} as const;

/** The order in which slots are given up when the table is full: oldest of the first queue that has any. */
export const queue = { over: 0, halfOpen: 1, answered: 2 } as const;

export class FlowTable {
  readonly capacity: number;
  /** `recordDoubles` per slot, see flow-fields.ts. Pages are only touched once a slot is used. */
  readonly records: Float64Array<ArrayBuffer>;
  readonly keys: Int32Array<ArrayBuffer>;
  readonly states: Uint8Array<ArrayBuffer>;
  /** 1 where the smaller end sent the first packet. */
  readonly lowIsSource: Uint8Array<ArrayBuffer>;
  /** 12 per slot: source, then destination. */
  readonly macs: Uint8Array<ArrayBuffer>;
  /** IP protocol number. */
  readonly protocols: Uint8Array<ArrayBuffer>;
  /** ICMP type and code of the first packet in one number. */
  readonly icmp: Uint16Array<ArrayBuffer>;
  /** Packets that a tombstone swallowed. */
  readonly latePackets: Uint8Array<ArrayBuffer>;
  /** Slots in use, tombstones included. */
  used = 0;

  readonly #index = new SlotIndex();
  readonly #hashes: Int32Array<ArrayBuffer>;
  readonly #free: Int32Array<ArrayBuffer>;
  #freeCount = 0;
  #untouched = 0;
  /** Queue + 1; 0 is none. */
  readonly #queueOf: Uint8Array<ArrayBuffer>;
  readonly #next: Int32Array<ArrayBuffer>;
  readonly #previous: Int32Array<ArrayBuffer>;
  readonly #heads = new Int32Array(3).fill(none);
  readonly #tails = new Int32Array(3).fill(none);

  constructor(capacity: number) {
    this.capacity = capacity;
    this.records = new Float64Array(capacity * recordDoubles);
    this.keys = new Int32Array(capacity * keyWords);
    this.states = new Uint8Array(capacity);
    this.lowIsSource = new Uint8Array(capacity);
    this.macs = new Uint8Array(capacity * 12);
    this.protocols = new Uint8Array(capacity);
    this.icmp = new Uint16Array(capacity);
    this.latePackets = new Uint8Array(capacity);
    this.#hashes = new Int32Array(capacity);
    this.#free = new Int32Array(capacity);
    this.#queueOf = new Uint8Array(capacity);
    this.#next = new Int32Array(capacity);
    this.#previous = new Int32Array(capacity);
  }

  get full(): boolean {
    return this.used === this.capacity;
  }

  /** The slot of this key, or -1. */
  find(key: Int32Array, hash: number): number {
    const index = this.#index;
    const keys = this.keys;
    for (let place = index.first(hash); ; place = index.next(place)) {
      const slot = index.slotAt(place, hash);
      if (slot === none) return none;
      if (slot < 0) continue;
      const at = slot * keyWords;
      if (
        keys[at + keyField.low + 3] === key[keyField.low + 3] &&
        keys[at + keyField.high + 3] === key[keyField.high + 3] &&
        keys[at + keyField.ports] === key[keyField.ports] &&
        keys[at + keyField.protocolAndFamily] === key[keyField.protocolAndFamily] &&
        keys[at] === key[0] &&
        keys[at + 1] === key[1] &&
        keys[at + 2] === key[2] &&
        keys[at + 4] === key[4] &&
        keys[at + 5] === key[5] &&
        keys[at + 6] === key[6]
      ) {
        return slot;
      }
    }
  }

  /** Take a slot for a key that is not in the table, which must not be full. The record is whatever it was. */
  insert(key: Int32Array, hash: number): number {
    const slot = this.#freeCount > 0 ? this.#free[--this.#freeCount]! : this.#untouched++;
    for (let word = 0; word < keyWords; word++) this.keys[slot * keyWords + word] = key[word]!;
    this.#hashes[slot] = hash;
    this.#index.add(hash, slot);
    this.used++;
    return slot;
  }

  /** Give a slot back. */
  remove(slot: number): void {
    this.leaveQueue(slot);
    this.states[slot] = slotState.free;
    this.#index.remove(this.#hashes[slot]!, slot);
    this.#free[this.#freeCount++] = slot;
    this.used--;
  }

  /** Put a slot at the end of a queue, out of the one it was in. */
  enqueue(slot: number, into: number): void {
    this.leaveQueue(slot);
    const tail = this.#tails[into]!;
    this.#previous[slot] = tail;
    this.#next[slot] = none;
    if (tail === none) this.#heads[into] = slot;
    else this.#next[tail] = slot;
    this.#tails[into] = slot;
    this.#queueOf[slot] = into + 1;
  }

  leaveQueue(slot: number): void {
    const from = this.#queueOf[slot]! - 1;
    if (from === none) return;
    const next = this.#next[slot]!;
    const previous = this.#previous[slot]!;
    if (previous === none) this.#heads[from] = next;
    else this.#next[previous] = next;
    if (next === none) this.#tails[from] = previous;
    else this.#previous[next] = previous;
    this.#queueOf[slot] = 0;
  }

  /** The slot that has been in this queue longest, or -1. */
  oldest(of: number): number {
    return this.#heads[of]!;
  }
}
