/**
 * Who on the LAN is restricted for what a window shows. A device answers only for what it was seen to send itself: in the
 * name of one anybody on its link can speak, and beyond a router anybody at all.
 */
import type { DeviceRef } from '../contract/address.ts';
import { BoundedMap } from './bounded-map.ts';
import type { Counted, Evidence } from './evidence.ts';
import { allFlows, macsOf, type JudgedFlow, type JudgedWindow } from './judged-window.ts';
import { conversingMacs, KnownDestinations } from './known-destinations.ts';
import type { Proven } from './measures.ts';
import type { Offender } from './offender.ts';

export type Culprits =
  /** The devices that are to be restricted; none where nobody saw that they did it: then a person is told. */
  | readonly DeviceRef[]
  /** Nobody of the LAN. */
  | 'outside'
  /** The gateway's own address: behind it any device may stand. */
  | 'translated'
  /** Whoever speaks for the device: several do. What they say to one host outside can be cut, and nobody is blamed. */
  | 'contested';

export class CulpritFinder {
  readonly #evidence: Evidence;
  readonly #ownAddresses: () => ReadonlySet<string> | undefined;
  /** By address, as its own windows told last. */
  readonly #macs: BoundedMap<string, string>;
  readonly #destinations: KnownDestinations;

  /** `ownAddresses`: the gateway's. `capacity`: devices; twice as many of their destinations. */
  constructor(evidence: Evidence, ownAddresses: () => ReadonlySet<string> | undefined, capacity: number) {
    this.#evidence = evidence;
    this.#ownAddresses = ownAddresses;
    this.#macs = new BoundedMap(capacity);
    this.#destinations = new KnownDestinations(capacity * 2);
  }

  get evicted(): number {
    return this.#destinations.evicted;
  }

  note(window: JudgedWindow): void {
    const { address, mac } = window.device;
    if (mac === null) this.#macs.delete(address); // its own windows say that it is a router's: it stands for others as well
    else this.#macs.set(address, mac);
    this.#destinations.note(window);
  }

  find(proven: Proven, window: JudgedWindow, offender: Offender): Culprits {
    const { device } = window;
    const flows = allFlows(window);
    switch (offender.kind) {
      case 'target':
        return 'outside';
      case 'peers':
        return offender.isInside
          ? offender.peers
              .filter((address) => this.#proves(proven, device.address, { speaker: address }))
              .map((address) => asSeen({ address, mac: this.#macs.get(address) ?? null }, flows))
          : 'outside';
      case 'destination':
      case 'device':
        if (this.#ownAddresses()?.has(device.address) === true) return 'translated';
        if (offender.isRelayed !== true && this.#proves(proven, device.address, { isFirstHand: true }))
          return [asSeen(device, flows)];
        return offender.kind === 'destination' && this.#isContested(proven, window, offender) ? 'contested' : [];
    }
  }

  #proves({ rule, proof }: Proven, device: string, counted: Counted): boolean {
    return this.#evidence.stillProves(rule, proof, device, counted);
  }

  /**
   * It happened on the link, whoever it was, and the host that it is said to is one that the device is not known to need;
   * or nobody can have forged that several MACs talk to it under this address.
   */
  #isContested(
    proven: Proven,
    { device: { address }, flows, atUs }: JudgedWindow,
    { peer, isInside }: Extract<Offender, { kind: 'destination' }>,
  ): boolean {
    if (isInside || this.#ownAddresses()?.has(peer) === true) return false;
    if (!this.#proves(proven, address, { isOnLink: true })) return false;
    return !this.#destinations.has(address, peer, atUs) || conversingMacs(flows, address, peer).length > 1;
  }
}

/**
 * The device by the MAC that these flows came with, not by the one that spoke last: that may be the neighbour in whose name
 * they were sent. A router's MAC (null) stays nobody's.
 */
function asSeen({ address, mac }: DeviceRef, flows: readonly JudgedFlow[]): DeviceRef {
  const [seen, ...others] = macsOf(flows, address);
  return { address, mac: mac === null || seen === undefined || others.length > 0 ? mac : seen };
}
