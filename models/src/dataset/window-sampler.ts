/**
 * Draws training windows so that the network meets what a gateway will: windows as they were, short ones, attacks
 * diluted among benign flows at every ratio, one benign flow over and over (sensors are monotonous), flows in another
 * order, and links that are faster or slower.
 */
import { featureCount, features, windowLength } from '@picket/shared/features/feature-schema';
import { trafficClasses } from '@picket/shared/features/traffic-classes';
import { labelWindow } from './flow-rows.ts';
import type { Dataset, FlowRows, Part } from './flow-rows.ts';

export interface WindowBlock {
  readonly count: number;
  /** count × 10 × 78 */
  readonly windows: Float32Array<ArrayBuffer>;
  /** As the graphs take it. */
  readonly flowsSeen: Float32Array<ArrayBuffer>;
  readonly labels: Uint8Array<ArrayBuffer>;
}

/** Shares of what a batch is drawn from; the rest are benign windows as they were. */
const shareOfAttacks = 0.45;
const shareOfSameness = 0.08;
const shareOfBenignMixes = 0.07;
/** Of the attack windows. */
const shareOfDiluted = 0.5;
/** Of all windows: cut to fewer flows, put into another order, timed differently. */
const shareOfShort = 0.35;
const shareOfShuffled = 0.25;
const shareOfRetimed = 0.4;

const timeColumns = features.flatMap(({ unit }, column) => (unit === 'us' ? [column] : []));
const rateColumns = features.flatMap(({ unit }, column) => (unit.endsWith('/s') ? [column] : []));

/** Windows of one source and group, as row numbers. */
interface Pool {
  readonly name: string;
  readonly windows: Int32Array[];
}

export class WindowSampler {
  readonly #rows: FlowRows;
  readonly #random: () => number;
  /** Benign windows by source, then by device, so that a talkative device does not outvote the others. */
  readonly #benign: Pool[][];
  /** By class, then by what made them. */
  readonly #attacks: Pool[][];

  constructor({ rows, sequences }: Dataset, part: Part, random: () => number) {
    this.#rows = rows;
    this.#random = random;
    const benign = new Map<string, Map<string, Int32Array[]>>();
    const attacks = new Map<string, Map<string, Int32Array[]>>();
    for (const sequence of sequences) {
      if (sequence.part !== part) continue;
      for (let start = 0; start < sequence.windows.length; start += windowLength) {
        const window = sequence.windows.subarray(start, start + windowLength);
        const label = labelWindow(rows, window);
        if (label === undefined) continue;
        if (label === 0) collect(benign, sequence.source, `${sequence.group} ${sequence.device}`, window);
        else collect(attacks, trafficClasses[label]!, this.#originOf(window, label), window);
      }
    }
    this.#benign = pools(benign);
    this.#attacks = pools(attacks);
    if (this.#benign.length === 0) throw new Error(`the ${part} part holds no benign window`);
  }

  draw(count: number): WindowBlock {
    const block: WindowBlock = {
      count,
      windows: new Float32Array(count * windowLength * featureCount),
      flowsSeen: new Float32Array(count),
      labels: new Uint8Array(count),
    };
    for (let index = 0; index < count; index++) {
      for (let attempt = 0; ; attempt++) {
        const window = attempt < 20 ? this.#drawWindow() : this.#benignWindow();
        const label = labelWindow(this.#rows, window);
        if (label === undefined) continue;
        this.#write(window, label, block, index);
        break;
      }
    }
    return block;
  }

  /** What made the newest flow of that class. */
  #originOf(window: Int32Array, label: number): string {
    const newest = window.findLast((number) => number >= 0 && this.#rows.classes[number] === label)!;
    return this.#rows.originNames[this.#rows.origins[newest]!]!;
  }

  #drawWindow(): Int32Array {
    const kind = this.#random();
    let window: Int32Array;
    if (kind < shareOfAttacks && this.#attacks.length > 0) {
      window = this.#attackWindow();
      if (this.#random() < shareOfDiluted) window = this.#dilute(window, this.#benignWindow());
    } else if (kind < shareOfAttacks + shareOfSameness) {
      window = this.#sameness();
    } else {
      window = this.#benignWindow();
      if (kind > 1 - shareOfBenignMixes) window = this.#dilute(this.#benignWindow(), window);
    }
    if (this.#random() < shareOfShort) window = this.#shorten(window);
    if (this.#random() < shareOfShuffled) window = this.#reorder(window);
    return window;
  }

  #benignWindow(): Int32Array {
    return pick(pick(pick(this.#benign, this.#random), this.#random).windows, this.#random);
  }

  #attackWindow(): Int32Array {
    return pick(pick(pick(this.#attacks, this.#random), this.#random).windows, this.#random);
  }

  /** Some of `window`'s newest flows spread among those of `background`. */
  #dilute(window: Int32Array, background: Int32Array): Int32Array {
    const flows = presentFlows(window);
    const others = presentFlows(background);
    const most = Math.min(flows.length, windowLength - 1);
    const kept = flows.slice(flows.length - 1 - Math.floor(this.#random() * most));
    const room = Math.min(others.length, windowLength - kept.length);
    const mixed = others.slice(others.length - room);
    let at = 0;
    for (const flow of kept) {
      at += Math.floor(this.#random() * (mixed.length - at + 1));
      mixed.splice(at, 0, flow);
      at += 1;
    }
    return padded(mixed);
  }

  /** One benign flow again and again. */
  #sameness(): Int32Array {
    const flow = pick(presentFlows(this.#benignWindow()), this.#random);
    return padded(Array.from({ length: 1 + Math.floor(this.#random() * windowLength) }, () => flow));
  }

  #shorten(window: Int32Array): Int32Array {
    const flows = presentFlows(window);
    return padded(flows.slice(flows.length - 1 - Math.floor(this.#random() * flows.length)));
  }

  #reorder(window: Int32Array): Int32Array {
    const flows = presentFlows(window);
    for (let last = flows.length - 1; last > 0; last--) {
      const other = Math.floor(this.#random() * (last + 1));
      [flows[last], flows[other]] = [flows[other]!, flows[last]!];
    }
    return padded(flows);
  }

  #write(window: Int32Array, label: number, block: WindowBlock, index: number): void {
    const start = index * windowLength * featureCount;
    writeWindow(this.#rows, window, block.windows, start);
    block.flowsSeen[index] = presentFlows(window).length;
    block.labels[index] = label;
    if (this.#random() < shareOfRetimed) {
      const factor = Math.exp((this.#random() - 0.5) * 1.4);
      for (let slot = 0; slot < windowLength; slot++) retime(block.windows, start + slot * featureCount, factor);
    }
  }
}

/** Copies the window's features to `to`; empty slots are left as they are. */
export function writeWindow(rows: FlowRows, window: Int32Array, to: Float32Array, offset: number): void {
  for (const [slot, number] of window.entries()) {
    if (number >= 0) to.set(rows.row(number), offset + slot * featureCount);
  }
}

export function presentFlows(window: Int32Array): number[] {
  return [...window].filter((number) => number >= 0);
}

/** The same conversation over a link that takes `factor` times as long. */
function retime(values: Float32Array, offset: number, factor: number): void {
  for (const column of timeColumns) values[offset + column]! *= factor;
  for (const column of rateColumns) values[offset + column]! /= factor;
}

function padded(flows: readonly number[]): Int32Array {
  const window = new Int32Array(windowLength).fill(-1);
  window.set(flows.slice(-windowLength), windowLength - Math.min(flows.length, windowLength));
  return window;
}

function pick<T>(items: readonly T[], random: () => number): T {
  return items[Math.floor(random() * items.length)]!;
}

function collect(into: Map<string, Map<string, Int32Array[]>>, outer: string, inner: string, window: Int32Array): void {
  const groups = into.get(outer) ?? new Map<string, Int32Array[]>();
  into.set(outer, groups);
  const windows = groups.get(inner);
  if (windows === undefined) groups.set(inner, [window]);
  else windows.push(window);
}

function pools(from: Map<string, Map<string, Int32Array[]>>): Pool[][] {
  return [...from.values()].map((groups) => [...groups].map(([name, windows]) => ({ name, windows })));
}
