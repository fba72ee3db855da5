/** Who forwards what others sent, or forged: the gateway's own interfaces, its next hops, and whatever is beyond its way out. */
import type { FlowBatch } from '../features/flow-batch.ts';
import { macKey, macKeyOf } from './flow-address.ts';
import { LanPrefixes } from './lan-prefixes.ts';

/** An interface that a default route leaves by, by its MAC, and the IPv4 subnets on its link. */
export interface OutsideLeg {
  readonly mac: string;
  readonly subnets: readonly string[];
}

export class Relays {
  /** See `macKey`. */
  #macs: ReadonlySet<number> = new Set();
  /** By `macKey`: what is on the link there. */
  #outsideLegs: ReadonlyMap<number, LanPrefixes> = new Map();

  useMacs(macs: readonly string[]): void {
    this.#macs = new Set(macs.map(macKeyOf));
  }

  useOutsideLegs(legs: readonly OutsideLeg[]): void {
    this.#outsideLegs = new Map(legs.map(({ mac, subnets }) => [macKeyOf(mac), new LanPrefixes(subnets)]));
  }

  /** Nothing is known of them, as for a capture of somewhere else. */
  get areUnknown(): boolean {
    return this.#macs.size === 0;
  }

  has(key: number): boolean {
    return this.#macs.has(key);
  }

  /**
   * The flow arrived on the way out from an address that is not on its link. IPv4 alone: of IPv6 a link has more prefixes
   * than the gateway has addresses.
   */
  cameFromBeyond(batch: FlowBatch, row: number): boolean {
    if (this.#outsideLegs.size === 0 || batch.family[row] !== 4) return false;
    const link = this.#outsideLegs.get(macKey(batch.dstMac, row));
    return link !== undefined && !link.contains(batch.srcAddress, row, 4);
  }
}
