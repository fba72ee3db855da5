/**
 * What a replay saw of devices and scores: enough to say why there is no alert, and whether the right end was taken for the
 * device.
 */
import ipaddr from 'ipaddr.js';
import type { Prediction } from '@picket/shared/contract/prediction';
import type { TrafficClass } from '@picket/shared/features/traffic-classes';
import { BoundedMap } from '@picket/shared/policy/bounded-map';
import type { FlowRole } from '../devices/device.ts';
import { addressText } from '../devices/flow-address.ts';
import { LanPrefixes } from '../devices/lan-prefixes.ts';
import type { FlowBatch } from '../features/flow-batch.ts';

/** One window. */
export interface HighestScore {
  readonly score: number;
  readonly device: string;
  readonly at: string;
}

/** Windows of one device that reached the threshold. */
export interface AttackWindows {
  readonly device: string;
  readonly windows: number;
  /** Enough of them was new to count for a rule. */
  readonly counted: number;
  /** The class of the highest. */
  readonly attack: TrafficClass;
  readonly score: number;
}

export interface OutcomeFigures {
  /** Of which windows were scored. */
  readonly devices: number;
  readonly highest: HighestScore | null;
  /** Score at which an attack begins; null: nothing was scored. */
  readonly threshold: number | null;
  /** Flows in the fullest window. */
  readonly fullest: number;
  /** Most windows first. */
  readonly attacked: readonly AttackWindows[];
  /** Flows that have no end inside the LAN, and the address that most of them share; null: there are none. */
  readonly outside: { readonly flows: number; readonly busiest: string } | null;
}

/** Devices and addresses that are remembered, each. */
const capacity = 4096;

export class ReplayOutcome {
  readonly #lan: LanPrefixes;
  readonly #devices = new BoundedMap<string, AttackWindows | undefined>(capacity);
  readonly #outsiders = new BoundedMap<string, number>(capacity);
  #outsideFlows = 0;
  #highest: HighestScore | null = null;
  #threshold: number | null = null;
  #fullest = 0;

  constructor(lanPrefixes: readonly string[]) {
    this.#lan = new LanPrefixes(lanPrefixes);
  }

  /** Once per flow or report of one, and per device it belongs to. */
  noteFlow(batch: FlowBatch, row: number, { direction }: FlowRole): void {
    if (direction !== 'inbound' || batch.reportNumber[row] !== 0) return;
    const family = batch.family[row]!;
    if (this.#lan.contains(batch.dstAddress, row, family)) return;
    this.#outsideFlows += 1;
    for (const addresses of [batch.srcAddress, batch.dstAddress]) {
      const address = addressText(addresses, row, family);
      this.#outsiders.set(address, (this.#outsiders.get(address) ?? 0) + 1);
    }
  }

  notePrediction(
    { device, at, score, threshold, label, class: attack, flows_seen }: Prediction,
    counts: boolean,
  ): void {
    this.#threshold = threshold;
    this.#fullest = Math.max(this.#fullest, flows_seen);
    const { address } = device;
    if (this.#highest === null || score > this.#highest.score) this.#highest = { score, device: address, at };
    const known = this.#devices.get(address);
    this.#devices.set(address, label === 'attack' ? another(known, { device: address, attack, score }, counts) : known);
  }

  get figures(): OutcomeFigures {
    const attacked = [...this.#devices.entries()].flatMap(([, windows]) => windows ?? []);
    const [busiest] = [...this.#outsiders.entries()].sort(([, a], [, b]) => b - a);
    return {
      devices: this.#devices.size + this.#devices.evicted,
      highest: this.#highest,
      threshold: this.#threshold,
      fullest: this.#fullest,
      attacked: attacked.sort((a, b) => b.windows - a.windows),
      outside: busiest === undefined ? null : { flows: this.#outsideFlows, busiest: busiest[0] },
    };
  }
}

function another(
  known: AttackWindows | undefined,
  newest: Pick<AttackWindows, 'device' | 'attack' | 'score'>,
  counts: boolean,
): AttackWindows {
  const strongest = known === undefined || newest.score > known.score ? newest : known;
  return {
    ...newest,
    attack: strongest.attack,
    score: strongest.score,
    windows: (known?.windows ?? 0) + 1,
    counted: (known?.counted ?? 0) + (counts ? 1 : 0),
  };
}

/** The network that an address is likely to share with its neighbours: its /24, of IPv6 its /64. */
export function likelyPrefix(address: string): string {
  if (ipaddr.IPv4.isValid(address)) return `${ipaddr.IPv4.networkAddressFromCIDR(`${address}/24`).toString()}/24`;
  return `${ipaddr.IPv6.networkAddressFromCIDR(`${address}/64`).toString()}/64`;
}
