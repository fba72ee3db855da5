/**
 * What is an attack by its number alone, and plain over more than the ten flows of a window: counted by device, and there
 * by who began it, over the windows as they come. A flow that many windows show counts once. Bounded in devices, hosts and
 * flows. Times are packet times in µs.
 */
import type { CountedFlow, CountedKind } from './counted-kind.ts';
import { parseDecisionValue } from './decision-value.ts';
import { DeviceTallies } from './device-tallies.ts';
import type { FlowCount } from './flow-tally.ts';
import type { AttackClass, JudgedFlow, JudgedWindow } from './judged-window.ts';
import { plainFlood, plainHeavyFlow, plainRefusedFlood, plainRequestFlood } from './plain-flood.ts';
import { plainLogIns } from './plain-log-ins.ts';
import { plainScan } from './plain-scan.ts';

const kinds: readonly CountedKind[] = [
  plainScan,
  plainFlood,
  plainRefusedFlood,
  plainHeavyFlow,
  plainRequestFlood,
  ...plainLogIns,
];
/** Of which something may be told though the network calls all of it benign. */
export const countedAttacks: ReadonlySet<AttackClass> = new Set(kinds.map(({ attack }) => attack));
/** Of all devices together, in flows of some 350 bytes each: 14 MiB. */
const maxWeight = 40_960;
/** One device under forged sources puts out what was counted at it, not what was counted at others. */
const maxWeightOfDevice = maxWeight / 4;

export class CountedFlows {
  readonly #capacity: number;
  /** Longest untouched first. */
  readonly #devices = new Map<string, DeviceTallies>();
  #weight = 0;
  /** Devices, and tallies of those that are forgotten. */
  #evicted = 0;

  constructor(capacity = 4096) {
    this.#capacity = capacity;
  }

  /** Memory that is held, in flows of some 350 bytes each. */
  get weight(): number {
    return this.#weight;
  }

  /** Tallies that were given up for others, and devices with all of theirs. */
  get evicted(): number {
    return this.#evicted;
  }

  add(window: Pick<JudgedWindow, 'device' | 'atUs' | 'flows' | 'passed'>): void {
    const { device, atUs } = window;
    const flows = [...(window.passed ?? []), ...window.flows];
    const contested = contestedIn(flows);
    const known = this.#devices.get(device.address);
    const own = known ?? new DeviceTallies(maxWeightOfDevice);
    const before = { weight: own.weight, evicted: own.evicted };
    own.begin(atUs);
    for (const flow of flows) {
      for (const kind of kinds) {
        if (!kind.isLike(flow)) {
          if (own.weight > 0) own.takeBack(kind, flow);
        } else if (isOneHost(flow.dstIp)) own.count(kind, flow, atUs, contested.has(flow.srcIp));
      }
    }
    this.#weight += own.weight - before.weight;
    this.#evicted += own.evicted - before.evicted;
    this.#devices.delete(device.address);
    if (own.weight > 0) this.#devices.set(device.address, own);
    if (this.#devices.size > this.#capacity) this.#forgetOldest();
    while (this.#weight > maxWeight) this.#evictOldest();
  }

  /** What the newest window of the device added to, where that is an attack. */
  reached(device: string): readonly FlowCount[] {
    return this.#devices.get(device)?.reached() ?? [];
  }

  /** Is it an attack by those flows alone for which `counts`? */
  holds(device: string, { key }: FlowCount, counts: (flow: CountedFlow) => boolean): boolean {
    return this.#devices.get(device)?.holds(key, counts) === true;
  }

  #forgetOldest(): void {
    for (const [address, { weight }] of this.#devices) {
      this.#devices.delete(address);
      this.#weight -= weight;
      this.#evicted += 1;
      return;
    }
  }

  /** The oldest tally of the device that was not seen for longest. */
  #evictOldest(): void {
    for (const [address, own] of this.#devices) {
      const before = own.weight;
      own.evictOldest();
      this.#weight += own.weight - before;
      this.#evicted += 1;
      if (own.weight === 0) this.#devices.delete(address);
      return;
    }
  }
}

/** In whose name more than one MAC spoke. */
function contestedIn(flows: readonly JudgedFlow[]): ReadonlySet<string> {
  const macs = new Map<string, string>();
  const contested = new Set<string>();
  for (const { srcIp, srcMac } of flows) {
    if (srcMac == null) continue;
    const known = macs.get(srcIp);
    if (known === undefined) macs.set(srcIp, srcMac);
    else if (known !== srcMac) contested.add(srcIp);
  }
  return contested;
}

/** What is said to a group, or to a whole network, is never answered. */
function isOneHost(address: string): boolean {
  return !address.endsWith('.255') && parseDecisionValue('ip', address).ok;
}
