/**
 * Which IPv4 addresses speak with which MAC: a few are one host's, one after the other or side by side; more are a
 * router's, and no device is to be held by its MAC. IPv6 does not count: one host has many addresses there.
 */

/** More addresses than this at a time behind one MAC: a router. */
const maxAddressesPerMac = 3;
/** A MAC that was heard of for this long is that of somebody whom we know. */
const establishedAfterUs = 600 * 1e6;
/** An address that was silent for longer may have been given back: a lease that ended makes no router. */
export const addressLifetimeUs = 24 * 3600 * 1e6;

interface Holders<Holder> {
  readonly addresses: Set<Holder>;
  /** When the first of them spoke, packet time in µs. */
  readonly sinceUs: number;
  isRouter: boolean;
}

export class MacHolders<Holder extends { readonly lastSeenAtUs: number }> {
  readonly #holders = new Map<number, Holders<Holder>>();

  isRouter(macKey: number): boolean {
    return this.#holders.get(macKey)?.isRouter === true;
  }

  /** Others than `holder` speak with this MAC, and the first of them did a while before `atUs`. */
  isEstablished(macKey: number, holder: Holder, atUs: number): boolean {
    const known = this.#holders.get(macKey);
    if (known === undefined || atUs - known.sinceUs < establishedAfterUs) return false;
    for (const other of known.addresses) {
      if (other !== holder && other.lastSeenAtUs >= atUs - addressLifetimeUs) return true;
    }
    return false;
  }

  /** `holder` speaks with this MAC at `atUs`. True when that shows it to be a router's. */
  add(macKey: number, holder: Holder, atUs: number): boolean {
    const known = this.#holders.get(macKey);
    if (known === undefined) {
      this.#holders.set(macKey, { addresses: new Set([holder]), sinceUs: atUs, isRouter: false });
      return false;
    }
    known.addresses.add(holder);
    if (known.isRouter || known.addresses.size <= maxAddressesPerMac) return false;
    for (const other of known.addresses) {
      if (other.lastSeenAtUs < atUs - addressLifetimeUs) known.addresses.delete(other);
    }
    known.isRouter = known.addresses.size > maxAddressesPerMac;
    return known.isRouter;
  }

  /** `holder` is forgotten, or speaks with another MAC now. */
  remove(macKey: number, holder: Holder): void {
    const known = this.#holders.get(macKey);
    if (known === undefined) return;
    known.addresses.delete(holder);
    if (known.addresses.size === 0) this.#holders.delete(macKey);
  }
}
