/**
 * The devices that are remembered, up to a bound. An address that was only spoken to (a sweep over an empty subnet) is kept
 * apart from those that answered, and leaves first; among those that spoke, the one unheard of for longest.
 */
import type { DeviceKey, KnownDevice } from './device.ts';
import { RecencyList } from './recency-list.ts';

export class DeviceTable {
  readonly #capacity: number;
  readonly #devices = new Map<DeviceKey, KnownDevice>();
  /** Least recently seen first; every device is in one of the two. */
  readonly #spoken = new RecencyList<KnownDevice>();
  readonly #silent = new RecencyList<KnownDevice>();
  #evicted = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Devices that sent something. */
  get spoken(): number {
    return this.#spoken.size;
  }

  get evicted(): number {
    return this.#evicted;
  }

  find(key: DeviceKey): KnownDevice | undefined {
    return this.#devices.get(key);
  }

  all(): Iterable<KnownDevice> {
    return this.#devices.values();
  }

  /** It was seen just now, in the table or about to be added. True where it spoke for the first time. */
  touch(device: KnownDevice, speaks: boolean): boolean {
    const isFirst = speaks && !device.hasSpoken;
    if (isFirst) {
      this.#silent.remove(device);
      device.hasSpoken = true;
    }
    (device.hasSpoken ? this.#spoken : this.#silent).touch(device);
    return isFirst;
  }

  /** One that was touched and is new. Returns the one that had to leave for it. */
  add(device: KnownDevice): KnownDevice | undefined {
    this.#devices.set(device.key, device);
    if (this.#devices.size <= this.#capacity) return undefined;
    const crowded = this.#silent.size > (device.hasSpoken ? 0 : 1) ? this.#silent : this.#spoken;
    const { oldest } = crowded;
    if (oldest === undefined) return undefined;
    crowded.remove(oldest);
    this.#devices.delete(oldest.key);
    this.#evicted += 1;
    return oldest;
  }
}
