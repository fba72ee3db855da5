/**
 * How many new flows a device had of late, in all and with each peer: what tells the one page that a browser fetches over
 * ten connections from the flood of six thousand, of which a window of ten flows holds the last ten as well. Counts decay,
 * so that nothing has to be kept of single flows, and saturate: a hundred are as good as a million. The same code counts
 * for a gateway's windows and for those that training cuts.
 */

/** Seconds after which a flow counts for a third (1 / e). */
const decaySeconds = 30;
/** More are told as this many. */
export const mostRecent = 100;
/** Peers of one device; the one that was quiet longest is forgotten for another. */
const mostPeers = 64;

/** A flow is told of at most two minutes after its last packet: one that is older than this came after a clock was set back. */
const clockWasSetUs = 150e6;

export interface RecentCounts {
  /** 0 to `mostRecent`. */
  readonly ofDevice: number;
  readonly ofPeer: number;
}

interface Count {
  value: number;
  atUs: number;
}

export class RecentFlows {
  readonly #all: Count = { value: 0, atUs: 0 };
  /** By whatever number stands for a peer; least recently seen first. */
  readonly #peers = new Map<number, Count>();

  /** A flow with this peer was handed over, for the first time (`isNew`) or again. `atUs`: packet time of its newest packet. */
  add(peer: number, isNew: boolean, atUs: number): RecentCounts {
    const known = this.#peers.get(peer);
    const own = known ?? { value: 0, atUs };
    if (known !== undefined) this.#peers.delete(peer);
    this.#peers.set(peer, own);
    if (this.#peers.size > mostPeers) {
      for (const oldest of this.#peers.keys()) {
        this.#peers.delete(oldest);
        break;
      }
    }
    return { ofDevice: counted(this.#all, isNew, atUs), ofPeer: counted(own, isNew, atUs) };
  }
}

/** Flows are handed over out of order: what is older than the newest counts as that, unless time itself began anew. */
function counted(count: Count, isNew: boolean, atUs: number): number {
  if (atUs < count.atUs - clockWasSetUs) count.atUs = atUs;
  const seconds = Math.max(0, atUs - count.atUs) / 1e6;
  count.value = count.value * Math.exp(-seconds / decaySeconds) + (isNew ? 1 : 0);
  count.atUs = Math.max(count.atUs, atUs);
  return Math.min(mostRecent, count.value);
}
