import type { DeviceRef, TrafficSource } from '@picket/shared/contract/address';
import type { DeviceBurst } from './flow-burst.ts';
import type { WindowFlow } from './window-flow.ts';

/** What stands beside one window of a batch: plain values, fit to cross to another thread. */
export interface WindowContext {
  readonly device: DeviceRef;
  /** Packet time of the newest flow, µs since 1970. */
  readonly atUs: number;
  readonly flowsSeen: number;
  /** New or updated flows since the last window of this device that counted as evidence. */
  readonly freshFlows: number;
  /** Enough of it is new to count for N of M: `freshFlows` ≥ 5, or a living flow grew like a flood since then. */
  readonly countsAsEvidence: boolean;
  /** Oldest first. */
  readonly flows: readonly WindowFlow[];
  /** Flows that passed since the window before and are in neither, oldest first; no more than `mostPassed`. */
  readonly passed: readonly WindowFlow[];
  /** New flows of the device beyond the window's ten. */
  readonly burst: DeviceBurst;
  readonly source: TrafficSource;
}
