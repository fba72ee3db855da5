/** The flows of one kind that one host began of late. Bounded: twice as many as make an attack. Times are packet times. */
import { countInWords, type CountedFlow, type CountedKind } from './counted-kind.ts';
import type { AttackClass, JudgedFlow } from './judged-window.ts';
import { outsideSource } from './source-prefix.ts';

/** So many flows of one kind that they need no network to be an attack. */
export interface FlowCount {
  readonly attack: AttackClass;
  /** Of the tally among those of its device. */
  readonly key: string;
  /** Who began them, as `sourceOf` has it. */
  readonly by: string;
  /** What they were sent to, `address port` each. */
  readonly services: ReadonlySet<string>;
  readonly flows: number;
  /** Packet time of the first, µs. */
  readonly sinceUs: number;
  /** What was counted, for people: `38 ports of 192.168.1.20 tried by 203.0.113.9 within 3 s, and not a byte said`. */
  readonly words: string;
}

/** One host is meant where this share of the services are its. */
const mainShare = 0.7;

export class FlowTally {
  readonly kind: CountedKind;
  readonly #key: string;
  /** Who began its flows, as `sourceOf` has it. */
  readonly by: string;
  /** Longest known first. */
  readonly #flows = new Map<string, CountedFlow>();
  #newestUs = Number.NEGATIVE_INFINITY;

  constructor(kind: CountedKind, key: string, by: string) {
    this.kind = kind;
    this.#key = key;
    this.by = by;
  }

  /** False where it was counted already, or is too old to count beside the others. */
  add(flow: JudgedFlow, isContested: boolean): boolean {
    const { kind } = this;
    const item = kind.itemOf(flow);
    const atUs = kind.atUsOf(flow);
    const known = this.#flows.get(item);
    if (atUs < this.#newestUs - kind.withinUs || (known !== undefined && known.atUs >= atUs)) return false;
    const { dstIp, dstPort, startedAtUs, isRelayed = false } = flow;
    this.#flows.delete(item);
    this.#flows.set(item, { dstIp, dstPort, startedAtUs, atUs, isRelayed, isContested });
    this.#newestUs = Math.max(this.#newestUs, atUs);
    for (const [old, counted] of this.#flows) {
      if (this.#flows.size <= this.#most && this.#isRecent(counted)) break; // what is over behind it is not counted
      this.#flows.delete(old);
    }
    return true;
  }

  /** Flows that are remembered. */
  get size(): number {
    return this.#flows.size;
  }

  /** It turned out to be something else: it was answered, or went on. */
  takeBack(flow: JudgedFlow): void {
    const item = this.kind.itemOf(flow);
    if (this.#flows.get(item)?.startedAtUs === flow.startedAtUs) this.#flows.delete(item);
  }

  /** Of those flows for which `counts`; undefined where they are too few. */
  count(counts: (flow: CountedFlow) => boolean = () => true): FlowCount | undefined {
    const { kind } = this;
    const flows = kind.telling([...this.#flows.values()].filter((flow) => this.#isRecent(flow) && counts(flow)));
    if (flows.length < kind.least) return undefined;
    return {
      attack: kind.attack,
      key: this.#key,
      by: this.by,
      services: new Set(flows.map(serviceOf)),
      flows: flows.length,
      sinceUs: Math.min(...flows.map(({ startedAtUs }) => startedAtUs)),
      words: kind.words(this.by, countInWords(flows.length, this.#most), flows),
    };
  }

  #isRecent({ atUs }: CountedFlow): boolean {
    return atUs >= this.#newestUs - this.kind.withinUs;
  }

  get #most(): number {
    return 2 * this.kind.least;
  }
}

/** Those of its host that are about what was counted; all of its host where the newest flow is not. */
export function flowsOfCount<Flow extends Pick<JudgedFlow, 'srcIp' | 'dstIp' | 'dstPort' | 'direction'>>(
  { by, services }: Pick<FlowCount, 'by' | 'services'>,
  flows: readonly Flow[],
): readonly Flow[] {
  const own = flows.filter((flow) => sourceOf(flow) === by);
  const told = own.filter((flow) => services.has(serviceOf(flow)));
  return told.length > 0 ? told : own;
}

/** Of what one host says to many, this one is no more than one of them. */
export function isOfManyHosts({ services }: Pick<FlowCount, 'services'>, host: string): boolean {
  const own = [...services].filter((service) => service.startsWith(`${host} `));
  return own.length < mainShare * services.size;
}

/** An outside host of IPv6 is its /64, of whose addresses it may take another for each packet. */
export function sourceOf({ srcIp, direction }: Pick<JudgedFlow, 'srcIp' | 'direction'>): string {
  return direction === 'inbound' ? outsideSource(srcIp).value : srcIp;
}

function serviceOf({ dstIp, dstPort }: Pick<JudgedFlow, 'dstIp' | 'dstPort'>): string {
  return `${dstIp} ${dstPort}`;
}
