/**
 * What names stood for lately. A name may stand for several addresses and be answered with one of them at a time: the way
 * to the one that a connection was made to stays open although the next answer names another. On disk as well, for a
 * gateway that starts before its resolver answers.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { z } from 'zod';

/** Long after the name left an address, connections to it have ended. */
const keptMs = 3_600_000;
/** Each is a rule that every packet to the gateway meets. */
const maxAddresses = 8;
/** The controller's and a few time servers'; names of before leave for new ones. */
const maxNames = 64;

const Stored = z.record(z.string().max(253), z.array(z.ipv4().or(z.ipv6())).max(maxAddresses));

export class KnownAddresses {
  /** By name: when each address was last answered, newest last. */
  readonly #answeredAtMs = new Map<string, Map<string, number>>();
  #path: string | undefined;
  #stored = '';

  /**
   * All that this name stands for, in order of their text. `found`: what it was resolved to just now; empty where it could
   * not be, and then all that it stood for last stays. `nowMs` by a clock that is never set.
   */
  after(name: string, found: readonly string[], nowMs: number): readonly string[] {
    const known = this.#answeredAtMs.get(name) ?? new Map<string, number>();
    this.#answeredAtMs.delete(name);
    this.#answeredAtMs.set(name, known);
    for (const [oldest] of this.#answeredAtMs) {
      if (this.#answeredAtMs.size <= maxNames) break;
      this.#answeredAtMs.delete(oldest);
    }
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

  /** The same, of an answer that is waited for no longer than this; one that comes later counts from the next time on. */
  async learn(name: string, answer: Promise<readonly string[]>, waitMs: number): Promise<readonly string[]> {
    const learned = answer.catch(() => []).then((found) => this.after(name, found, performance.now()));
    await Promise.race([learned, setTimeout(waitMs, undefined, { ref: false })]);
    return this.after(name, [], performance.now());
  }

  /** Whether it ever stood for anything. */
  has(name: string): boolean {
    return (this.#answeredAtMs.get(name)?.size ?? 0) > 0;
  }

  /** What the run before knew, as of now, and from here on what this one does. A file that is none teaches nothing. */
  useFile(path: string, nowMs: number): void {
    this.#path = path;
    let text = '';
    try {
      text = readFileSync(path, 'utf8');
      for (const [name, addresses] of Object.entries(Stored.parse(JSON.parse(text))))
        this.after(name, addresses, nowMs);
      this.#stored = text;
    } catch {
      this.#stored = '';
    }
  }

  /** Writes it down where it is not what the file says; the next start learns anew what the disk will not take. */
  save(): void {
    if (this.#path === undefined) return;
    const names = [...this.#answeredAtMs.keys()].toSorted();
    const addressesOf = (name: string): readonly string[] => [...this.#answeredAtMs.get(name)!.keys()].toSorted();
    const text = JSON.stringify(Object.fromEntries(names.map((name) => [name, addressesOf(name)])));
    if (text === this.#stored) return;
    try {
      writeFileSync(`${this.#path}.part`, text, { mode: 0o600 });
      renameSync(`${this.#path}.part`, this.#path);
      this.#stored = text;
    } catch {
      // tried again with the next look at the network
    }
  }
}
