/**
 * Outside hosts that devices of ours talk to: resolvers, time servers, clouds. Whoever can forge their addresses would
 * have them blocked, for every device, by sending a little of what looks like an attack. Times are packet times in µs.
 */
import { BoundedMap } from './bounded-map.ts';
import type { JudgedFlow, JudgedWindow } from './judged-window.ts';
import { outsideSource } from './source-prefix.ts';
import { isAnswerToUnseen } from './unseen-opening.ts';

/** Some devices say something once a day. */
const memoryUs = 26 * 3600 * 1e6;
/** A conversation is shown in many windows. */
const refreshUs = 60_000_000;
const [tcp, udp] = [6, 17];

export class Partners {
  /** When each was last seen to answer: by address, and by what stands for it (source-prefix.ts). */
  readonly #answeredAtUs: BoundedMap<string, number>;

  constructor(capacity: number) {
    this.#answeredAtUs = new BoundedMap(capacity);
  }

  get evicted(): number {
    return this.#answeredAtUs.evicted;
  }

  note({ flows, atUs }: Pick<JudgedWindow, 'flows' | 'atUs'>): void {
    for (const flow of flows) {
      if (flow.direction !== 'outbound' || flow.isRelayed === true || !isAnswered(flow)) continue;
      if (isAnswerToUnseen(flow)) continue;
      const knownAtUs = this.#answeredAtUs.get(flow.dstIp);
      if (knownAtUs !== undefined && Math.abs(atUs - knownAtUs) < refreshUs) continue;
      this.#answeredAtUs.set(flow.dstIp, atUs);
      this.#answeredAtUs.set(outsideSource(flow.dstIp).value, atUs);
    }
  }

  has(peer: string, nowUs: number): boolean {
    const answeredAtUs = this.#answeredAtUs.get(outsideSource(peer).value);
    return answeredAtUs !== undefined && Math.abs(nowUs - answeredAtUs) < memoryUs;
  }
}

/** With something to say: a port that is open or shut is no conversation. */
export function isAnswered({ protocol, bwdBytes, bwdPackets }: JudgedFlow): boolean {
  return (protocol === tcp && bwdBytes > 0) || (protocol === udp && bwdPackets > 0);
}
