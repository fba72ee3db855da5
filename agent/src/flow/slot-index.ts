/**
 * Hash → slot, by open addressing with linear probing in one typed array. It begins small and doubles while the table
 * fills, because every packet looks here first and a small index stays in the processor's cache: a place is four bytes,
 * a slot and ten bits of its hash.
 */

const empty = -1;
const firstSize = 4096;
const slotBits = 22;
const slotMask = (1 << slotBits) - 1;

/** The last number would look like an empty place. */
export const maxSlots = slotMask;

export class SlotIndex {
  /** At most half of the places are taken. */
  #places: Int32Array<ArrayBuffer>;
  #hashes: Int32Array<ArrayBuffer>;
  #mask: number;
  #used = 0;

  constructor(slots: number) {
    this.#hashes = new Int32Array(slots);
    this.#places = new Int32Array(firstSize).fill(empty);
    this.#mask = firstSize - 1;
  }

  /** Slots up to this number may be added from here on. */
  grow(slots: number): void {
    const hashes = new Int32Array(slots);
    hashes.set(this.#hashes);
    this.#hashes = hashes;
  }

  /** The place where a search for this hash begins; go on with `next`. */
  first(hash: number): number {
    return hash & this.#mask;
  }

  next(place: number): number {
    return (place + 1) & this.#mask;
  }

  /** The slot at a place: -1 where the search ends, -2 for another hash. */
  slotAt(place: number, hash: number): number {
    const entry = this.#places[place]!;
    if (entry === empty) return -1;
    return (entry ^ hash) >>> slotBits === 0 ? entry & slotMask : -2;
  }

  /** Write to `slots` what stands first for each of these hashes: the right slot but for one time in a thousand, or -1. */
  guess(hashes: Int32Array, slots: Int32Array, count: number): void {
    const places = this.#places;
    const mask = this.#mask;
    for (let i = 0; i < count; i++) {
      const hash = hashes[i]!;
      let place = hash & mask;
      let entry = places[place]!;
      while (entry !== empty && (entry ^ hash) >>> slotBits !== 0) {
        place = (place + 1) & mask;
        entry = places[place]!;
      }
      slots[i] = entry === empty ? -1 : entry & slotMask;
    }
  }

  add(hash: number, slot: number): void {
    this.#hashes[slot] = hash;
    if (++this.#used * 2 > this.#mask) this.#double();
    this.#put(slot);
  }

  /** Whoever stands behind moves up, so that no gap ends a search early. */
  remove(slot: number): void {
    const places = this.#places;
    const mask = this.#mask;
    let hole = this.#hashes[slot]! & mask;
    while ((places[hole]! & slotMask) !== slot || places[hole] === empty) hole = (hole + 1) & mask;
    for (let place = (hole + 1) & mask; places[place] !== empty; place = (place + 1) & mask) {
      const home = this.#hashes[places[place]! & slotMask]! & mask;
      if (((place - home) & mask) >= ((place - hole) & mask)) {
        places[hole] = places[place]!;
        hole = place;
      }
    }
    places[hole] = empty;
    this.#used--;
  }

  /** Forget all slots. It begins small again: whoever lets this happen often must not have a large index emptied each time. */
  clear(): void {
    if (this.#places.length > firstSize) this.#places = new Int32Array(firstSize);
    this.#places.fill(empty);
    this.#mask = firstSize - 1;
    this.#used = 0;
  }

  #put(slot: number): void {
    const hash = this.#hashes[slot]!;
    let place = hash & this.#mask;
    while (this.#places[place] !== empty) place = (place + 1) & this.#mask;
    this.#places[place] = (hash & ~slotMask) | slot;
  }

  #double(): void {
    const before = this.#places;
    this.#places = new Int32Array(before.length * 2).fill(empty);
    this.#mask = this.#places.length - 1;
    for (const entry of before) {
      if (entry !== empty) this.#put(entry & slotMask);
    }
  }
}
