/**
 * How many new flows a device had of late, in all and with each peer: what tells the one page that a browser fetches over
 * ten connections from the flood of six thousand, of which a window of ten flows holds the last ten as well. Counts decay,
 * so that nothing has to be kept of single flows, and saturate: a hundred are as good as a million. And since when the
 * device and each of its peers are known: a backup whose password is old is refused ever since the gateway listens, a
 * guesser came a moment ago. The same code counts for a gateway's windows and for those that training cuts.
 */

/** Seconds after which a flow counts for a third (1 / e). */
const decaySeconds = 30;
/** More are told as this many. */
export const mostRecent = 100;
/** Peers of one device; the one that was quiet longest is forgotten for another, and new when it comes again. */
export const mostPeers = 64;

/** A flow is told of at most two minutes after its last packet: one that is older than this came after a clock was set back. */
const clockWasSetUs = 150e6;

export interface RecentCounts {
  /** 0 to `mostRecent`. */
  readonly ofDevice: number;
  readonly ofPeer: number;
  /** First packet of the device's first flow, and of its first flow with this peer: µs of packet time. */
  readonly deviceSinceUs: number;
  readonly peerSinceUs: number;
}

/**
 * How long a device and its peers have been known. Ages, for no time of day can be believed over a restart: many gateways
 * have no clock of their own.
 */
export interface Familiarity {
  readonly deviceMs: number;
  /** By whatever number stands for a peer; least recently seen first. */
  readonly peers: readonly number[];
  /** Of each of them, in the same order. */
  readonly peersMs: readonly number[];
}

interface Count {
  value: number;
  atUs: number;
  sinceUs: number;
}

export class RecentFlows {
  readonly #all = emptyCount();
  /** By whatever number stands for a peer; least recently seen first. */
  readonly #peers = new Map<number, Count>();

  /** A flow with this peer was handed over, for the first time (`isNew`) or again. Packet times of its first and newest packet. */
  add(peer: number, isNew: boolean, startedAtUs: number, atUs: number): RecentCounts {
    const known = this.#peers.get(peer);
    const own = known ?? emptyCount();
    if (known !== undefined) this.#peers.delete(peer);
    this.#peers.set(peer, own);
    if (this.#peers.size > mostPeers) {
      for (const oldest of this.#peers.keys()) {
        this.#peers.delete(oldest);
        break;
      }
    }
    return {
      ofDevice: counted(this.#all, isNew, startedAtUs, atUs),
      ofPeer: counted(own, isNew, startedAtUs, atUs),
      deviceSinceUs: this.#all.sinceUs,
      peerSinceUs: own.sinceUs,
    };
  }

  /** At this packet time. Who was heard only before a clock was set back is new when it comes, and so it is here. */
  familiarityAt(nowUs: number): Familiarity {
    return {
      deviceMs: knownMs(this.#all, nowUs),
      peers: [...this.#peers.keys()],
      peersMs: Array.from(this.#peers.values(), (count) => knownMs(count, nowUs)),
    };
  }

  /** What another run knew is known as of this packet time: that of the first flow, before it is added. Counts begin anew. */
  resume({ deviceMs, peers, peersMs }: Familiarity, atUs: number): void {
    Object.assign(this.#all, knownCount(deviceMs, atUs));
    for (const [at, peer] of peers.entries()) this.#peers.set(peer, knownCount(peersMs[at]!, atUs));
  }
}

function knownMs({ atUs, sinceUs }: Count, nowUs: number): number {
  if (nowUs < atUs - clockWasSetUs) return 0;
  return Math.max(0, Math.floor((nowUs - sinceUs) / 1000));
}

function knownCount(ms: number, atUs: number): Count {
  return { value: 0, atUs, sinceUs: atUs - ms * 1000 };
}

function emptyCount(): Count {
  return { value: 0, atUs: 0, sinceUs: Number.POSITIVE_INFINITY };
}

/** Flows are handed over out of order: what is older than the newest counts as that, unless time itself began anew. */
function counted(count: Count, isNew: boolean, startedAtUs: number, atUs: number): number {
  if (atUs < count.atUs - clockWasSetUs) {
    count.atUs = atUs;
    count.sinceUs = startedAtUs;
  }
  count.sinceUs = Math.min(count.sinceUs, startedAtUs);
  const seconds = Math.max(0, atUs - count.atUs) / 1e6;
  count.value = count.value * Math.exp(-seconds / decaySeconds) + (isNew ? 1 : 0);
  count.atUs = Math.max(count.atUs, atUs);
  return Math.min(mostRecent, count.value);
}
