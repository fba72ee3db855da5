/**
 * Who was known to a run before this one. A device that has not come yet keeps its place here, so that a second restart
 * does not make it a stranger, and leaves before any that came.
 */
import type { DeviceRef } from '@picket/shared/contract/address';
import type { Familiarity } from '@picket/shared/features/recent-flows';

/** Named as windows are: by its address; and by the MAC that it had, for the address may be another's by now. */
export interface DeviceFamiliarity extends DeviceRef, Familiarity {}

export class EarlierDevices {
  /** The one that was heard last comes last. */
  readonly #byAddress = new Map<string, DeviceFamiliarity>();

  get size(): number {
    return this.#byAddress.size;
  }

  /** `latestFirst`: as `all` has them. No more than `capacity`. */
  restore(latestFirst: readonly DeviceFamiliarity[], capacity: number): void {
    for (const device of latestFirst.slice(0, capacity).toReversed()) {
      this.#byAddress.delete(device.address);
      this.#byAddress.set(device.address, device);
    }
  }

  /** It came: what was known of it, for once. Undefined where nothing was, or its MAC shows that another was meant. */
  take({ address, mac }: DeviceRef): DeviceFamiliarity | undefined {
    const device = this.#byAddress.get(address);
    this.#byAddress.delete(address);
    const isAnother = mac !== null && device !== undefined && device.mac !== null && device.mac !== mac;
    return isAnother ? undefined : device;
  }

  /** The one that was not heard for longest has to leave. */
  dropOldest(): void {
    for (const address of this.#byAddress.keys()) {
      this.#byAddress.delete(address);
      break;
    }
  }

  all(): readonly DeviceFamiliarity[] {
    return [...this.#byAddress.values()].toReversed();
  }
}
