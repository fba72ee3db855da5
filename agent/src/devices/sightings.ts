/** What is new of devices, kept until somebody takes it, up to a bound. */
import type { DeviceRef } from '@picket/shared/contract/address';

/** A device spoke for the first time, or its MAC became known or another one. */
export interface DeviceSighting {
  readonly device: DeviceRef;
  readonly atUs: number;
}

const maxSightings = 1024;

export class Sightings {
  #waiting: DeviceSighting[] = [];
  #dropped = 0;

  /** Those that nobody took in time. */
  get dropped(): number {
    return this.#dropped;
  }

  add(sighting: DeviceSighting): void {
    if (this.#waiting.length < maxSightings) this.#waiting.push(sighting);
    else this.#dropped += 1;
  }

  /** All since the last call. */
  take(): readonly DeviceSighting[] {
    const sightings = this.#waiting;
    this.#waiting = [];
    return sightings;
  }
}
