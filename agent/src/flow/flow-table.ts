/**
 * The open flows: a bounded number of slots found by open addressing on a numeric hash. Who goes first when the table
 * is full is decided here. A table may begin with fewer slots than it can have, and doubles while it fills: V8 counts all
 * of its memory as garbage to come, used or not, and 512 MiB of it cost each short capture a full collection.
 */
import { flowByte, flowInt, recordBytes, recordInts, recordWords } from './flow-fields.ts';
import { keyField } from './flow-key.ts';
import { createRecords, type FlowRecords } from './flow-record.ts';
import { maxSlots, SlotIndex } from './slot-index.ts';

const fi = flowInt;
const fb = flowByte;
const bytes8 = recordBytes;
const k = keyField;
const words = recordWords;
const ints32 = recordInts;
const none = -1;
/** In doubles. */
const cacheLine = 8;

/** Most packets that `fetch` takes at once. */
export const fetchPackets = 64;

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
  /** Of each slot, see flow-fields.ts. The key of its conversation stands in it. */
  records: FlowRecords;
  /** 12 per slot: source, then destination. */
  macs: Uint8Array<ArrayBuffer>;
  /** IP protocol number. */
  protocols: Uint8Array<ArrayBuffer>;
  /** ICMP type and code of the first packet in one number. */
  icmp: Uint16Array<ArrayBuffer>;
  /** Packets that a tombstone swallowed. */
  latePackets: Uint8Array<ArrayBuffer>;
  /** Slots in use, tombstones included. */
  used = 0;

  readonly #index: SlotIndex;
  readonly #guesses = new Int32Array(fetchPackets);
  readonly #fetched = new Float64Array(1);
  #free: Int32Array<ArrayBuffer>;
  #freeCount = 0;
  #untouched = 0;
  /** Slots that there is memory for. */
  #room: number;
  /** Queue + 1; 0 is none. */
  #queueOf: Uint8Array<ArrayBuffer>;
  #next: Int32Array<ArrayBuffer>;
  #previous: Int32Array<ArrayBuffer>;
  readonly #heads = new Int32Array(3).fill(none);
  readonly #tails = new Int32Array(3).fill(none);

  /**
   * `firstRoom`: how many slots to begin with; without it all memory is taken here, and none later.
   * @throws {RangeError} for more slots than the index can tell apart
   */
  constructor(capacity: number, firstRoom = capacity) {
    if (capacity > maxSlots) throw new RangeError(`a flow table has at most ${maxSlots} slots, not ${capacity}`);
    this.capacity = capacity;
    const room = Math.min(firstRoom, capacity);
    this.#room = room;
    this.records = createRecords(room);
    this.#index = new SlotIndex(room);
    this.macs = new Uint8Array(room * 12);
    this.protocols = new Uint8Array(room);
    this.icmp = new Uint16Array(room);
    this.latePackets = new Uint8Array(room);
    this.#free = new Int32Array(room);
    this.#queueOf = new Uint8Array(room);
    this.#next = new Int32Array(room);
    this.#previous = new Int32Array(room);
  }

  get full(): boolean {
    return this.used === this.capacity;
  }

  /**
   * Read what the packets with these hashes will need. Their flows lie anywhere in memory: asked for together, the
   * processor waits for all of them at once instead of for one after the other. Changes nothing but the cache.
   */
  fetch(hashes: Int32Array, count: number): void {
    const { values } = this.records;
    const guesses = this.#guesses;
    this.#index.guess(hashes, guesses, count);
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const slot = guesses[i]!;
      if (slot === none) continue;
      const record = slot * words;
      sum +=
        values[record]! +
        values[record + cacheLine]! +
        values[record + 2 * cacheLine]! +
        values[record + 3 * cacheLine]! +
        values[record + 4 * cacheLine]!;
    }
    this.#fetched[0] = sum; // keeps the reads from being left out
  }

  /** The slot of the key that stands in `keys` at `at`, or -1. */
  find(keys: Int32Array, at: number, hash: number): number {
    const index = this.#index;
    const { ints } = this.records;
    for (let place = index.first(hash); ; place = index.next(place)) {
      const slot = index.slotAt(place, hash);
      if (slot === none) return none;
      if (slot < 0) continue;
      const record = slot * ints32;
      if (
        ints[record + fi.keyLow] === keys[at + k.low] &&
        ints[record + fi.keyHigh] === keys[at + k.high] &&
        ints[record + fi.keyPorts] === keys[at + k.ports] &&
        ints[record + fi.keyProtocolAndFamily] === keys[at + k.protocolAndFamily] &&
        ((keys[at + k.protocolAndFamily]! & 0xff) === 4 || sameRest(ints, record + fi.keyRest, keys, at + k.rest))
      ) {
        return slot;
      }
    }
  }

  /** Take a slot for a key that is not in the table, which must not be full. The record is whatever it was. */
  insert(keys: Int32Array, at: number, hash: number): number {
    if (this.#freeCount === 0 && this.#untouched === this.#room) this.#grow();
    const slot = this.#freeCount > 0 ? this.#free[--this.#freeCount]! : this.#untouched++;
    const { ints } = this.records;
    const record = slot * ints32;
    ints[record + fi.keyLow] = keys[at + k.low]!;
    ints[record + fi.keyHigh] = keys[at + k.high]!;
    ints[record + fi.keyPorts] = keys[at + k.ports]!;
    ints[record + fi.keyProtocolAndFamily] = keys[at + k.protocolAndFamily]!;
    const isIpv6 = (keys[at + k.protocolAndFamily]! & 0xff) === 6;
    for (let word = 0; word < 6; word++) ints[record + fi.keyRest + word] = isIpv6 ? keys[at + k.rest + word]! : 0;
    this.#index.add(hash, slot);
    this.used++;
    return slot;
  }

  /** Give a slot back. */
  remove(slot: number): void {
    this.leaveQueue(slot);
    this.setState(slot, slotState.free);
    this.#index.remove(slot);
    this.#free[this.#freeCount++] = slot;
    this.used--;
  }

  /** Give all slots back at once. They must have left their queues. */
  clear(): void {
    this.#index.clear();
    this.#freeCount = 0;
    this.#untouched = 0;
    this.used = 0;
  }

  /** What the slot is in use for, see `slotState`. */
  stateOf(slot: number): number {
    return this.records.bytes[slot * bytes8 + fb.slotState]!;
  }

  setState(slot: number, state: number): void {
    this.records.bytes[slot * bytes8 + fb.slotState] = state;
  }

  /** 1 where the smaller end of the conversation sent the flow's first packet. */
  lowIsSource(slot: number): number {
    return this.records.bytes[slot * bytes8 + fb.lowIsSource]!;
  }

  setLowIsSource(slot: number, lowIsSource: number): void {
    this.records.bytes[slot * bytes8 + fb.lowIsSource] = lowIsSource;
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

  #grow(): void {
    const room = Math.min(this.#room * 2, this.capacity);
    this.#room = room;
    const records = createRecords(room);
    records.values.set(this.records.values);
    this.records = records;
    this.#index.grow(room);
    this.macs = longer(this.macs, new Uint8Array(room * 12));
    this.protocols = longer(this.protocols, new Uint8Array(room));
    this.icmp = longer(this.icmp, new Uint16Array(room));
    this.latePackets = longer(this.latePackets, new Uint8Array(room));
    this.#free = new Int32Array(room); // none is free, or there were no need to grow
    this.#queueOf = longer(this.#queueOf, new Uint8Array(room));
    this.#next = longer(this.#next, new Int32Array(room));
    this.#previous = longer(this.#previous, new Int32Array(room));
  }
}

function longer<Column extends Uint8Array | Uint16Array | Int32Array>(from: Column, to: Column): Column {
  to.set(from);
  return to;
}

function sameRest(ints: Int32Array, record: number, keys: Int32Array, at: number): boolean {
  for (let word = 0; word < 6; word++) {
    if (ints[record + word] !== keys[at + word]) return false;
  }
  return true;
}
