/**
 * What is an attack by its number alone, and plain over more than the ten flows of a window: counted by device, and there
 * by who began it, over the windows as they come. A flow that many windows show counts once. Bounded in devices, hosts and
 * flows. Times are packet times in µs.
 */
import { BoundedMap } from './bounded-map.ts';
import type { CountedFlow, CountedKind } from './counted-kind.ts';
import { parseDecisionValue } from './decision-value.ts';
import { FlowTally, sourceOf, type FlowCount } from './flow-tally.ts';
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
/** Forged sources that come one after the other put out what was counted of others at the same device, and nowhere else. */
const talliesPerDevice = 256;

interface Tallied {
  readonly tally: FlowTally;
  /** Of the window that added to it last. */
  readonly atUs: number;
}

interface DeviceTallies {
  /** By kind, who began the flows, and with which MAC on a link. */
  readonly tallies: BoundedMap<string, Tallied>;
  /** Those that the newest window added to. */
  readonly grown: Set<FlowTally>;
  /** What of these is an attack; undefined until somebody asks. Every rule does, of the same window. */
  reached: readonly FlowCount[] | undefined;
}

export class CountedFlows {
  readonly #devices: BoundedMap<string, DeviceTallies>;
  #evictedTallies = 0;

  constructor(capacity = 4096) {
    this.#devices = new BoundedMap(capacity);
  }

  /** Tallies that were given up for others, and devices with all of theirs. */
  get evicted(): number {
    return this.#devices.evicted + this.#evictedTallies;
  }

  add(window: Pick<JudgedWindow, 'device' | 'atUs' | 'flows' | 'passed'>): void {
    const { device, atUs } = window;
    const flows = [...(window.passed ?? []), ...window.flows];
    const contested = contestedIn(flows);
    const known = this.#devices.get(device.address);
    if (known !== undefined) begin(known, atUs);
    for (const flow of flows) {
      for (const kind of kinds) {
        if (kind.isLike(flow)) this.#count(kind, flow, device.address, atUs, contested.has(flow.srcIp));
        else if (known !== undefined) known.tallies.get(keyOf(kind, flow))?.tally.takeBack(flow);
      }
    }
  }

  /** What the newest window of the device added to, where that is an attack. */
  reached(device: string): readonly FlowCount[] {
    const own = this.#devices.get(device);
    if (own === undefined) return [];
    own.reached ??= [...own.grown].flatMap((tally) => tally.count() ?? []);
    return own.reached;
  }

  /** Is it an attack by those flows alone for which `counts`? */
  holds(device: string, { key }: FlowCount, counts: (flow: CountedFlow) => boolean): boolean {
    return this.#devices.get(device)?.tallies.get(key)?.tally.count(counts) !== undefined;
  }

  #count(kind: CountedKind, flow: JudgedFlow, address: string, atUs: number, isContested: boolean): void {
    if (!isOneHost(flow.dstIp)) return;
    const own = this.#devices.get(address) ?? newTallies();
    const key = keyOf(kind, flow);
    const tally = own.tallies.get(key)?.tally ?? new FlowTally(kind, key, sourceOf(flow));
    if (!tally.add(flow, isContested)) return;
    own.grown.add(tally);
    const before = own.tallies.evicted;
    own.tallies.set(key, { tally, atUs });
    this.#evictedTallies += own.tallies.evicted - before;
    this.#devices.set(address, own);
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

function newTallies(): DeviceTallies {
  return { tallies: new BoundedMap(talliesPerDevice), grown: new Set(), reached: undefined };
}

/** A new window: nothing is added yet, and what is over is forgotten. */
function begin(own: DeviceTallies, atUs: number): void {
  const { tallies, grown } = own;
  grown.clear();
  own.reached = undefined;
  for (const [key, { tally, atUs: addedAtUs }] of tallies.entries()) {
    if (isOver(atUs - addedAtUs, tally.kind.withinUs)) tallies.delete(key);
  }
}

/** Windows come nearly in order. What lies further ahead than that is of before a clock was set back. */
function isOver(sinceUs: number, withinUs: number): boolean {
  return sinceUs > withinUs || sinceUs < -2 * withinUs;
}

/** On a link anybody may speak in a neighbour's name: what two MACs sent is not added up. */
function keyOf(kind: CountedKind, flow: JudgedFlow): string {
  const mac = flow.direction === 'inbound' ? '' : (flow.srcMac ?? '');
  return `${kind.name} ${sourceOf(flow)} ${mac} ${kind.groupOf(flow)}`;
}

/** What is said to a group, or to a whole network, is never answered. */
function isOneHost(address: string): boolean {
  return !address.endsWith('.255') && parseDecisionValue('ip', address).ok;
}
