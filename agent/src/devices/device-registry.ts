/**
 * Which thing on the LAN a flow belongs to. Devices are discovered from traffic, and told from those in whose name a router
 * or a neighbour speaks.
 */
import { featureCount, featureNames } from '@picket/shared/features/feature-schema';
import type { FlowBatch } from '../features/flow-batch.ts';
import { DeviceTable } from './device-table.ts';
import { isDisputed, knownDevice, type FlowRole, type KnownDevice } from './device.ts';
import { addressKey, addressText, macKey, macText } from './flow-address.ts';
import { LanPrefixes, defaultLanPrefixes, isLoopback, isNoHost } from './lan-prefixes.ts';
import { addressLifetimeUs, MacHolders } from './mac-holders.ts';
import { Relays, type OutsideLeg } from './relays.ts';
import { Sightings, type DeviceSighting } from './sightings.ts';

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

const bwdPackets = featureNames.indexOf('Total Backward Packets');

/** `macKey` of a frame to everyone on the link. */
const broadcastMac = 0xffffffffffff;

export class DeviceRegistry {
  readonly #lan: LanPrefixes;
  readonly #relays = new Relays();
  readonly #broadcastAddresses: ReadonlySet<string>;
  readonly #table: DeviceTable;
  readonly #macs = new MacHolders<KnownDevice>();
  #unmonitored: ReadonlySet<string> = new Set();
  readonly #sightings = new Sightings();

  constructor(options: DeviceRegistryOptions = {}) {
    this.#lan = new LanPrefixes(options.lanPrefixes ?? defaultLanPrefixes);
    this.useRelayMacs(options.relayMacs ?? []);
    this.useOutsideLegs(options.outsideLegs ?? []);
    this.#broadcastAddresses = new Set(options.broadcastAddresses);
    this.#table = new DeviceTable(options.capacity ?? 4096);
  }

  /** Devices that sent something. */
  get size(): number {
    return this.#table.spoken;
  }

  get evicted(): number {
    return this.#table.evicted;
  }

  /** Sightings that nobody took in time. */
  get sightingsDropped(): number {
    return this.#sightings.dropped;
  }

  /**
   * MACs of the gateway's own interfaces and of its next hops: they forward what others sent, or forged. None: nothing
   * is known of them, as for a capture of somewhere else.
   */
  useRelayMacs(macs: readonly string[]): void {
    this.#relays.useMacs(macs);
  }

  /**
   * The flow's source was not seen sending it: its first frame came from a router that we know, or was an answer to
   * what nobody saw, or came from somebody who speaks for many, of whom this one may be a forgery. False where the link has
   * no MACs, or no router is known: then nothing can be told. To be asked once the flow is attributed.
   */
  isRelayed(batch: FlowBatch, row: number): boolean {
    if (this.#relays.areUnknown) return false;
    if (this.#relays.cameFromBeyond(batch, row)) return true;
    const src = macKey(batch.srcMac, row);
    if (src === 0) return macKey(batch.dstMac, row) !== 0;
    return this.#relays.has(src) || (this.#macs.isRouter(src) && this.#isDisputedSource(batch, row));
  }

  /**
   * Legs of the gateway on the way out. What arrives there from an address that is not on its link was forwarded by some
   * router, whatever its MAC: one of a redundant pair (VRRP, HSRP) speaks with another than the next hop has.
   */
  useOutsideLegs(legs: readonly OutsideLeg[]): void {
    this.#relays.useOutsideLegs(legs);
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
    return this.#sightings.take();
  }

  #heldBy(mac: string): readonly KnownDevice[] {
    const devices = [...this.#table.all()].filter((device) => device.hasSpoken && device.mac === mac);
    const newestUs = devices.reduce((newest, { lastSeenAtUs }) => Math.max(newest, lastSeenAtUs), 0);
    return devices.filter(({ lastSeenAtUs }) => lastSeenAtUs >= newestUs - addressLifetimeUs);
  }

  #see(batch: FlowBatch, row: number, end: 'src' | 'dst'): KnownDevice | undefined {
    const bytes = end === 'src' ? batch.srcAddress : batch.dstAddress;
    const family = batch.family[row]!;
    const key = addressKey(bytes, row, family);
    const atUs = batch.lastPacketAtUs[row]!;
    const known = this.#table.find(key);
    const device = known ?? knownDevice(key, addressText(bytes, row, family), family === 4, atUs);
    if (known === undefined && this.#broadcastAddresses.has(device.address)) return undefined;
    if (this.#unmonitored.has(device.address)) return undefined;
    device.lastSeenAtUs = Math.max(device.lastSeenAtUs, atUs);
    const speaks = end === 'src' || batch.features[row * featureCount + bwdPackets]! > 0;
    const isFirst = this.#table.touch(device, speaks);
    const evicted = known === undefined ? this.#table.add(device) : undefined;
    if (evicted !== undefined) this.#forgetMac(evicted);
    const isNewMac =
      end === 'src' && !this.#relays.cameFromBeyond(batch, row) && this.#learnMac(device, batch.srcMac, row);
    if (isFirst || isNewMac) this.#sightings.add({ device: { address: device.address, mac: device.mac }, atUs });
    return device;
  }

  /** The MAC that sent the flow's first packet, unless the gateway or a router did. True when it is news. */
  #learnMac(device: KnownDevice, macs: Uint8Array, row: number): boolean {
    const key = macKey(macs, row);
    if (key === 0 || key === device.macKey || this.#relays.has(key) || isGroupMac(macs, row)) return false;
    this.#forgetMac(device);
    if (device.macKey !== 0 || (device.isIpv4 && this.#macs.isEstablished(key, device, device.lastSeenAtUs)))
      device.claimedAtUs = device.lastSeenAtUs;
    device.macKey = key;
    if (device.isIpv4 && this.#macs.add(key, device, device.lastSeenAtUs)) this.#disown(key);
    device.mac = this.#macs.isRouter(key) ? null : macText(macs, row);
    return device.mac !== null;
  }

  #isDisputedSource(batch: FlowBatch, row: number): boolean {
    const source = this.#table.find(addressKey(batch.srcAddress, row, batch.family[row]!));
    return source !== undefined && isDisputed(source);
  }

  /** A router's MAC stands for all that is behind it. */
  #disown(key: number): void {
    for (const device of this.#table.all()) if (device.macKey === key) device.mac = null;
  }

  #forgetMac(device: KnownDevice): void {
    if (device.macKey !== 0 && device.isIpv4) this.#macs.remove(device.macKey, device);
  }
}

/** A broadcast of a subnet whose mask we do not know: the frame went to everyone, and nobody answers for that address. */
function isToEveryone(batch: FlowBatch, row: number): boolean {
  return macKey(batch.dstMac, row) === broadcastMac && batch.features[row * featureCount + bwdPackets] === 0;
}

/** Broadcast or multicast: no host has such a MAC, and frames that say they come from one are forged. */
function isGroupMac(macs: Uint8Array, row: number): boolean {
  return (macs[row * 6]! & 1) === 1;
}
