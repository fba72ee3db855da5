/** A map that never outgrows its bound: the entry that was not touched for longest leaves, and is counted. */
export class BoundedMap<Key, Value> {
  readonly #entries = new Map<Key, Value>();
  readonly #capacity: number;
  #evicted = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#entries.size;
  }

  get evicted(): number {
    return this.#evicted;
  }

  get(key: Key): Value | undefined {
    return this.#entries.get(key);
  }

  /** Sets and touches. */
  set(key: Key, value: Value): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size <= this.#capacity) return;
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest);
      this.#evicted += 1;
      break;
    }
  }

  delete(key: Key): void {
    this.#entries.delete(key);
  }

  /** Longest untouched first. */
  entries(): MapIterator<[Key, Value]> {
    return this.#entries.entries();
  }
}
