/** One thing on the LAN as it is remembered: what everybody may know of it, and what only the registry needs. */
import type { DeviceRef, FlowDirection } from '@picket/shared/contract/address';
import type { Listed } from './recency-list.ts';

/** One device; the same object for as long as the registry remembers it. */
export interface Device extends DeviceRef {
  /** By which it can be told on its link; null where unknown or shared by several hosts. */
  mac: string | null;
  /** It sent at least one packet. */
  hasSpoken: boolean;
  /** Packet time, µs since 1970. */
  lastSeenAtUs: number;
}

/** A device's part in a flow. */
export interface FlowRole {
  readonly device: Device;
  /** Seen from this device. */
  readonly direction: FlowDirection;
}

/** An address as `addressKey` has it. */
export type DeviceKey = number | string;

/** What only the registry needs to know of a device. */
export interface KnownDevice extends Device, Listed<KnownDevice> {
  readonly key: DeviceKey;
  /** One for each direction, because a flow is too cheap for an object of its own. */
  readonly roles: Readonly<Record<FlowDirection, FlowRole>>;
  /** `macKey` of what it last sent with; 0 for unknown. */
  macKey: number;
  /** When it last spoke with another MAC than before, or first with one that had been another address's; packet time in µs. */
  claimedAtUs: number;
  readonly isIpv4: boolean;
}

/** For so long after it was claimed an address may be the one's or the other's: anybody on the link can speak in its name. */
const disputedForUs = 3600 * 1e6;

/** A new one, of which nothing is known but its address. */
export function knownDevice(key: DeviceKey, address: string, isIpv4: boolean, lastSeenAtUs: number): KnownDevice {
  const device = {
    key,
    address,
    isIpv4,
    lastSeenAtUs,
    mac: null,
    hasSpoken: false,
    macKey: 0,
    claimedAtUs: Number.NEGATIVE_INFINITY,
    older: undefined,
    newer: undefined,
  };
  const roleOf = (direction: FlowDirection): FlowRole => ({ device, direction });
  const roles = { inbound: roleOf('inbound'), outbound: roleOf('outbound'), internal: roleOf('internal') };
  return Object.assign(device, { roles });
}

/** Whether it is the one's or the other's that spoke in its name, as far as its last packet goes. */
export function isDisputed({ lastSeenAtUs, claimedAtUs }: KnownDevice): boolean {
  return lastSeenAtUs - claimedAtUs <= disputedForUs;
}
