/**
 * Hash → slot, by open addressing with linear probing in one typed array. It begins small and doubles while the table
 * fills, because every packet looks here first and a small index stays in the processor's cache.
 */

const none = -1;
const firstSize = 4096;

export class SlotIndex {
  /** Pairs of hash and slot + 1; 0 is empty. At most half of the places are taken. */
  #places: Int32Array<ArrayBuffer>;
  #mask: number;
  #used = 0;

  constructor() {
    this.#places = new Int32Array(firstSize * 2);
    this.#mask = firstSize - 1;
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
    const slot = this.#places[place * 2 + 1]! - 1;
    return slot === none || this.#places[place * 2] === hash ? slot : -2;
  }

  add(hash: number, slot: number): void {
    if (++this.#used * 2 > this.#mask) this.#grow();
    this.#put(hash, slot);
  }

  /** Whoever stands behind moves up, so that no gap ends a search early. */
  remove(hash: number, slot: number): void {
    const places = this.#places;
    const mask = this.#mask;
    let hole = hash & mask;
    while (places[hole * 2 + 1] !== slot + 1) hole = (hole + 1) & mask;
    for (let place = (hole + 1) & mask; places[place * 2 + 1] !== 0; place = (place + 1) & mask) {
      const home = places[place * 2]! & mask;
      if (((place - home) & mask) >= ((place - hole) & mask)) {
        places[hole * 2] = places[place * 2]!;
        places[hole * 2 + 1] = places[place * 2 + 1]!;
        hole = place;
      }
    }
    places[hole * 2 + 1] = 0;
    this.#used--;
  }

  #put(hash: number, slot: number): void {
    let place = hash & this.#mask;
    while (this.#places[place * 2 + 1] !== 0) place = (place + 1) & this.#mask;
    this.#places[place * 2] = hash;
    this.#places[place * 2 + 1] = slot + 1;
  }

  #grow(): void {
    const before = this.#places;
    this.#places = new Int32Array(before.length * 2);
    this.#mask = before.length - 1;
    for (let at = 0; at < before.length; at += 2) {
      if (before[at + 1] !== 0) this.#put(before[at]!, before[at + 1]! - 1);
    }
  }
}
