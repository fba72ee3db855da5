/**
 * Which thing on the LAN a flow belongs to. Devices are discovered from traffic; an address that was only spoken to
 * (a sweep over an empty subnet) is kept apart from those that answered, and leaves first when the table is full.
 */
import { featureCount, featureNames } from '@picket/shared/features/feature-schema';
import type { DeviceRef, FlowDirection } from '@picket/shared/contract/address';
import type { FlowBatch } from '../features/flow-batch.ts';
import { addressKey, addressText, macKey, macKeyOf, macText } from './flow-address.ts';
import { LanPrefixes, defaultLanPrefixes, isLoopback, isNoHost } from './lan-prefixes.ts';
import { addressLifetimeUs, MacHolders } from './mac-holders.ts';
import { type Listed, RecencyList } from './recency-list.ts';

export interface DeviceRegistryOptions {
  /** Where devices live. Default: private and link-local addresses. */
  readonly lanPrefixes?: readonly string[];
  /** See `useRelayMacs`. */
  readonly relayMacs?: readonly string[];
  /** See `useOutsideLegs`. */
  readonly outsideLegs?: readonly OutsideLeg[];
  /** Subnet broadcast addresses, canonical text: no device has one. */
  readonly broadcastAddresses?: readonly string[];
  readonly capacity?: number;
}

/** An interface that a default route leaves by, by its MAC, and the IPv4 subnets on its link. */
export interface OutsideLeg {
  readonly mac: string;
  readonly subnets: readonly string[];
}

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

/** A device spoke for the first time, or its MAC became known or another one. */
export interface DeviceSighting {
  readonly device: DeviceRef;
  readonly atUs: number;
}

const maxSightings = 1024;
const bwdPackets = featureNames.indexOf('Total Backward Packets');

/** `macKey` of a frame to everyone on the link. */
const broadcastMac = 0xffffffffffff;

type Key = number | string;

/** What only the registry needs to know of a device. */
interface KnownDevice extends Device, Listed<KnownDevice> {
  readonly key: Key;
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

export class DeviceRegistry {
  readonly #lan: LanPrefixes;
  /** See `macKey`. */
  #relayMacs: ReadonlySet<number> = new Set();
  /** By `macKey`: what is on the link there. */
  #outsideLegs: ReadonlyMap<number, LanPrefixes> = new Map();
  readonly #broadcastAddresses: ReadonlySet<string>;
  readonly #capacity: number;
  readonly #devices = new Map<Key, KnownDevice>();
  /** Least recently seen first; every device is in one of the two. */
  readonly #spoken = new RecencyList<KnownDevice>();
  readonly #silent = new RecencyList<KnownDevice>();
  readonly #macs = new MacHolders<KnownDevice>();
  #unmonitored: ReadonlySet<string> = new Set();
  #sightings: DeviceSighting[] = [];
  #evicted = 0;
  #sightingsDropped = 0;

  constructor(options: DeviceRegistryOptions = {}) {
    this.#lan = new LanPrefixes(options.lanPrefixes ?? defaultLanPrefixes);
    this.useRelayMacs(options.relayMacs ?? []);
    this.useOutsideLegs(options.outsideLegs ?? []);
    this.#broadcastAddresses = new Set(options.broadcastAddresses);
    this.#capacity = options.capacity ?? 4096;
  }

  /** Devices that sent something. */
  get size(): number {
    return this.#spoken.size;
  }

  get evicted(): number {
    return this.#evicted;
  }

  /** Sightings that nobody took in time. */
  get sightingsDropped(): number {
    return this.#sightingsDropped;
  }

  /**
   * MACs of the gateway's own interfaces and of its next hops: they forward what others sent, or forged. None: nothing
   * is known of them, as for a capture of somewhere else.
   */
  useRelayMacs(macs: readonly string[]): void {
    this.#relayMacs = new Set(macs.map(macKeyOf));
  }

  /**
   * The flow's source was not seen sending it: its first frame came from a router that we know, or was an answer to
   * what nobody saw, or came from somebody who speaks for many, of whom this one may be a forgery. False where the link has
   * no MACs, or no router is known: then nothing can be told. To be asked once the flow is attributed.
   */
  isRelayed(batch: FlowBatch, row: number): boolean {
    if (this.#relayMacs.size === 0) return false;
    if (this.#cameFromBeyond(batch, row)) return true;
    const src = macKey(batch.srcMac, row);
    if (src === 0) return macKey(batch.dstMac, row) !== 0;
    return this.#relayMacs.has(src) || (this.#macs.isRouter(src) && this.#isDisputedSource(batch, row));
  }

  /**
   * Legs of the gateway on the way out. What arrives there from an address that is not on its link was forwarded by some
   * router, whatever its MAC: one of a redundant pair (VRRP, HSRP) speaks with another than the next hop has.
   */
  useOutsideLegs(legs: readonly OutsideLeg[]): void {
    this.#outsideLegs = new Map(legs.map(({ mac, subnets }) => [macKeyOf(mac), new LanPrefixes(subnets)]));
  }

  /** Flows of these addresses (canonical text) belong to no device. */
  ignore(addresses: Iterable<string>): void {
    this.#unmonitored = new Set(addresses);
  }

  /**
   * The devices a flow belongs to: the end inside the LAN, both where both are, and the responder where neither is.
   * Empty where that end is no single host, a loopback address that the owner does not count to the LAN, or not to be watched.
   */
  attribute(batch: FlowBatch, row: number): readonly FlowRole[] {
    const family = batch.family[row]!;
    const srcIsInside = this.#lan.contains(batch.srcAddress, row, family) && !isNoHost(batch.srcAddress, row, family);
    const dstIsHost = !isNoHost(batch.dstAddress, row, family) && !isToEveryone(batch, row);
    const dstIsInside = this.#lan.contains(batch.dstAddress, row, family);
    const src = srcIsInside ? this.#see(batch, row, 'src') : undefined;
    const dstIsResponder = !srcIsInside && !isLoopback(batch.dstAddress, row, family);
    const dst = dstIsHost && (dstIsInside || dstIsResponder) ? this.#see(batch, row, 'dst') : undefined;
    const roles: FlowRole[] = [];
    if (src !== undefined) roles.push(dstIsInside ? src.roles.internal : src.roles.outbound);
    if (dst !== undefined && dst !== src) roles.push(srcIsInside ? dst.roles.internal : dst.roles.inbound);
    return roles;
  }

  /** Canonical addresses of the device with this MAC, as far as it has spoken; without those that it long left behind. */
  addressesOf(mac: string): readonly string[] {
    return this.#heldBy(mac).map(({ address }) => address);
  }

  /**
   * Those of them that may be cut together with the device: not what spoke with another MAC shortly before, nor what it
   * took up beside an address that it had, for who is about to be put into quarantine may have spoken in the name of a
   * neighbour.
   */
  undisputedAddressesOf(mac: string): readonly string[] {
    return this.#heldBy(mac)
      .filter((device) => !isDisputed(device))
      .map(({ address }) => address);
  }

  /** First sightings since the last call. */
  takeSightings(): readonly DeviceSighting[] {
    const sightings = this.#sightings;
    this.#sightings = [];
    return sightings;
  }

  #heldBy(mac: string): readonly KnownDevice[] {
    const devices = [...this.#devices.values()].filter((device) => device.hasSpoken && device.mac === mac);
    const newestUs = devices.reduce((newest, { lastSeenAtUs }) => Math.max(newest, lastSeenAtUs), 0);
    return devices.filter(({ lastSeenAtUs }) => lastSeenAtUs >= newestUs - addressLifetimeUs);
  }

  #see(batch: FlowBatch, row: number, end: 'src' | 'dst'): KnownDevice | undefined {
    const bytes = end === 'src' ? batch.srcAddress : batch.dstAddress;
    const family = batch.family[row]!;
    const key = addressKey(bytes, row, family);
    const atUs = batch.lastPacketAtUs[row]!;
    const known = this.#devices.get(key);
    const device = known ?? knownDevice(key, addressText(bytes, row, family), family === 4, atUs);
    if (known === undefined && this.#broadcastAddresses.has(device.address)) return undefined;
    if (this.#unmonitored.has(device.address)) return undefined;
    device.lastSeenAtUs = Math.max(device.lastSeenAtUs, atUs);
    const speaks = end === 'src' || batch.features[row * featureCount + bwdPackets]! > 0;
    const isFirst = speaks && !device.hasSpoken;
    if (isFirst) {
      this.#silent.remove(device);
      device.hasSpoken = true;
    }
    (device.hasSpoken ? this.#spoken : this.#silent).touch(device);
    if (known === undefined) this.#add(device);
    const isNewMac = end === 'src' && !this.#cameFromBeyond(batch, row) && this.#learnMac(device, batch.srcMac, row);
    if (isFirst || isNewMac) this.#report({ device: { address: device.address, mac: device.mac }, atUs });
    return device;
  }

  #add(device: KnownDevice): void {
    this.#devices.set(device.key, device);
    if (this.#devices.size <= this.#capacity) return;
    const crowded = this.#silent.size > (device.hasSpoken ? 0 : 1) ? this.#silent : this.#spoken;
    const { oldest } = crowded;
    if (oldest === undefined) return;
    crowded.remove(oldest);
    this.#devices.delete(oldest.key);
    this.#forgetMac(oldest);
    this.#evicted += 1;
  }

  /** IPv4 alone: of IPv6 a link has more prefixes than the gateway has addresses. */
  #cameFromBeyond(batch: FlowBatch, row: number): boolean {
    if (this.#outsideLegs.size === 0 || batch.family[row] !== 4) return false;
    const link = this.#outsideLegs.get(macKey(batch.dstMac, row));
    return link !== undefined && !link.contains(batch.srcAddress, row, 4);
  }

  /** The MAC that sent the flow's first packet, unless the gateway or a router did. True when it is news. */
  #learnMac(device: KnownDevice, macs: Uint8Array, row: number): boolean {
    const key = macKey(macs, row);
    if (key === 0 || key === device.macKey || this.#relayMacs.has(key) || isGroupMac(macs, row)) return false;
    this.#forgetMac(device);
    if (device.macKey !== 0 || (device.isIpv4 && this.#macs.isEstablished(key, device, device.lastSeenAtUs)))
      device.claimedAtUs = device.lastSeenAtUs;
    device.macKey = key;
    if (device.isIpv4 && this.#macs.add(key, device, device.lastSeenAtUs)) this.#disown(key);
    device.mac = this.#macs.isRouter(key) ? null : macText(macs, row);
    return device.mac !== null;
  }

  #isDisputedSource(batch: FlowBatch, row: number): boolean {
    const source = this.#devices.get(addressKey(batch.srcAddress, row, batch.family[row]!));
    return source !== undefined && isDisputed(source);
  }

  /** A router's MAC stands for all that is behind it. */
  #disown(key: number): void {
    for (const device of this.#devices.values()) if (device.macKey === key) device.mac = null;
  }

  #forgetMac(device: KnownDevice): void {
    if (device.macKey !== 0 && device.isIpv4) this.#macs.remove(device.macKey, device);
  }

  #report(sighting: DeviceSighting): void {
    if (this.#sightings.length < maxSightings) this.#sightings.push(sighting);
    else this.#sightingsDropped += 1;
  }
}

function knownDevice(key: Key, address: string, isIpv4: boolean, lastSeenAtUs: number): KnownDevice {
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

function isDisputed({ lastSeenAtUs, claimedAtUs }: KnownDevice): boolean {
  return lastSeenAtUs - claimedAtUs <= disputedForUs;
}

/** A broadcast of a subnet whose mask we do not know: the frame went to everyone, and nobody answers for that address. */
function isToEveryone(batch: FlowBatch, row: number): boolean {
  return macKey(batch.dstMac, row) === broadcastMac && batch.features[row * featureCount + bwdPackets] === 0;
}

/** Broadcast or multicast: no host has such a MAC, and frames that say they come from one are forged. */
function isGroupMac(macs: Uint8Array, row: number): boolean {
  return (macs[row * 6]! & 1) === 1;
}
