/**
 * Many attackers at once: when naming one after the other is useless, because they are forged, and when they are one
 * network that can be named instead. Beyond what one window of ten flows can show. Times are packet times in µs.
 */
import { BoundedMap } from './bounded-map.ts';
import { minNetworkSources, networkAround, outsideSource, type Source } from './source-prefix.ts';

/** Sources that may be forged, named against one device within `memoryUs`, before they are taken for forged. */
export const maxUnprovenSources = 8;
const memoryUs = 60_000_000;
const networkMemoryUs = 600_000_000;

/** When each source was last seen, µs. */
type Seen = Map<string, number>;

export class Crowd {
  readonly #unproven: BoundedMap<string, Seen>;
  readonly #networks: BoundedMap<string, Seen>;

  constructor(capacity = 4096) {
    this.#unproven = new BoundedMap(capacity);
    this.#networks = new BoundedMap(capacity);
  }

  /**
   * May these outside sources, which kept up no conversation, be named against this device? No more than a few of them
   * within a minute: who can forge one address can forge ten thousand.
   */
  mayName(device: string, peers: readonly string[], nowUs: number): boolean {
    const seen = recent(this.#unproven, device, nowUs, memoryUs);
    for (const peer of peers) note(seen, outsideSource(peer).value, nowUs, maxUnprovenSources + 1);
    return seen.size <= maxUnprovenSources;
  }

  /** The network around a proven source, where so many others of it attacked within ten minutes that it is one attacker. */
  networkOf(peer: string, nowUs: number): Source | undefined {
    const network = networkAround(peer);
    const seen = recent(this.#networks, network.value, nowUs, networkMemoryUs);
    note(seen, outsideSource(peer).value, nowUs, minNetworkSources);
    return seen.size >= minNetworkSources ? network : undefined;
  }
}

function recent(all: BoundedMap<string, Seen>, key: string, nowUs: number, forUs: number): Seen {
  const seen = all.get(key) ?? new Map<string, number>();
  for (const [source, atUs] of seen) if (Math.abs(nowUs - atUs) > forUs) seen.delete(source);
  all.set(key, seen);
  return seen;
}

function note(seen: Seen, source: string, nowUs: number, most: number): void {
  if (seen.has(source) || seen.size < most) seen.set(source, nowUs);
}
