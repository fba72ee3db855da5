/**
 * Which of many things was used least recently. To move an entry to the end of a large Map costs microseconds; here it
 * is four pointers, kept in the things themselves.
 */

/** Only the list writes these. */
export interface Listed<Item> {
  older: Item | undefined;
  newer: Item | undefined;
}

export class RecencyList<Item extends Listed<Item>> {
  #oldest: Item | undefined;
  #newest: Item | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get oldest(): Item | undefined {
    return this.#oldest;
  }

  /** From now on it is the newest, whether it was in the list or not. */
  touch(item: Item): void {
    if (item === this.#newest) return;
    this.remove(item);
    item.older = this.#newest;
    if (this.#newest === undefined) this.#oldest = item;
    else this.#newest.newer = item;
    this.#newest = item;
    this.#size += 1;
  }

  /** Does nothing where it is not in the list. */
  remove(item: Item): void {
    const { older, newer } = item;
    if (older === undefined && newer === undefined && item !== this.#oldest) return;
    if (older === undefined) this.#oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.#newest = older;
    else newer.older = older;
    item.older = undefined;
    item.newer = undefined;
    this.#size -= 1;
  }
}
