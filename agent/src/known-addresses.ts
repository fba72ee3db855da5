/**
 * What names stood for lately. A name may stand for several addresses and be answered with one of them at a time: the way
 * to the one that a connection was made to stays open although the next answer names another.
 */

/** Long after the name left an address, connections to it have ended. */
const keptMs = 3_600_000;
/** Each is a rule that every packet to the gateway meets. */
const maxAddresses = 8;

export class KnownAddresses {
  /** By name: when each address was last answered, newest last. */
  readonly #answeredAtMs = new Map<string, Map<string, number>>();

  /**
   * All that this name stands for, in order of their text. `found`: what it was resolved to just now; empty where it could
   * not be, and then all that it stood for last stays. `nowMs` by a clock that is never set.
   */
  after(name: string, found: readonly string[], nowMs: number): readonly string[] {
    const known = this.#answeredAtMs.get(name) ?? new Map<string, number>();
    this.#answeredAtMs.set(name, known);
    for (const address of found) {
      known.delete(address);
      known.set(address, nowMs);
    }
    if (found.length > 0) {
      for (const [address, atMs] of known)
        if (nowMs - atMs > keptMs || known.size > maxAddresses) known.delete(address);
    }
    return [...known.keys()].toSorted();
  }
}
