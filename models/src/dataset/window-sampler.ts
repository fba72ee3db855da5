/**
 * Draws training windows so that the network meets what a gateway will: windows as they were, short ones, attacks
 * diluted among benign flows at every ratio, one benign flow over and over (sensors are monotonous), flows in another
 * order, other links, and benign windows that it got wrong before.
 */
import { featureCount, windowLength } from '@picket/shared/features/feature-schema';
import { trafficClasses } from '@picket/shared/features/traffic-classes';
import {
  directionNumber,
  flowContextSize,
  flowContextWidth,
  unknownContext,
} from '@picket/shared/features/flow-context';
import { wholeGroup } from '../metrics.ts';
import { groupOf } from './flow-rows.ts';
import { labelWindow } from './label-window.ts';
import { inOrder, writeContext } from './window-context.ts';
import type { WindowOfFlows } from './window-of-flows.ts';
import type { Dataset, FlowRows, Part } from './flow-rows.ts';
import { emptyBlock, writeFlowLabels, writeWindow } from './window-block.ts';
import type { WindowBlock } from './window-block.ts';
import { drawAcquaintance } from './window-familiarity.ts';
import { usualShares } from './sampler-shares.ts';
import type { SamplerShares } from './sampler-shares.ts';
import { changeHeaders, hide, hideableGroups, resize, retime } from './vary-flow.ts';
import { collect, pick, pools } from './window-pools.ts';
import type { Pool } from './window-pools.ts';
import { dilute, jostled, monotonous, presentFlows, shortened } from './window-mixes.ts';

/** How far variation goes, as the standard deviation of a logarithm: of a link's speed, of one flow on it, of sizes. */
const linkSpread = 0.8;
const flowSpread = 0.12;
const sizeSpread = 0.2;
/** Of the time between flows. */
const tempoSpread = 0.4;
/** Between monotonous flows: seconds, and how many times as many. */
const briefestPeriod = 0.2;
const longestPeriod = 400;

const directionColumn = 2;
const firstFamiliarColumn = 5;
const inbound = directionNumber('inbound');
const internal = directionNumber('internal');

export interface SamplerOptions {
  readonly random: () => number;
  readonly shares?: SamplerShares;
  /** One value per feature, raw: what a hidden feature shows. Without it nothing is hidden. */
  readonly typical?: Float32Array;
}

export class WindowSampler {
  readonly #rows: FlowRows;
  readonly #random: () => number;
  readonly #shares: SamplerShares;
  readonly #typical: Float32Array | undefined;
  /** Benign windows by site or device type, then by device: no large source and no talkative device outvotes the others. */
  readonly #benign: Pool[][];
  /** The weight of each of these and of those before it. */
  readonly #weights: number[] = [];
  /** By class, then by the program, then by the run: no tool and no long run outvotes the others. */
  readonly #attacks: Pool[][][];
  #hard: Int32Array[] = [];

  constructor({ rows, sequences, episodes }: Dataset, part: Part, options: SamplerOptions) {
    this.#rows = rows;
    this.#random = options.random;
    this.#shares = options.shares ?? usualShares;
    this.#typical = options.typical;
    const benign = new Map<string, Map<string, Int32Array[]>>();
    const attacks = new Map<string, Map<string, Map<string, Int32Array[]>>>();
    for (const sequence of sequences) {
      if (sequence.part !== part) continue;
      for (let start = 0; start < sequence.windows.length; start += windowLength) {
        const window = sequence.windows.subarray(start, start + windowLength);
        const label = labelWindow(rows, window);
        if (label === undefined) continue;
        if (label === 0) collect(benign, groupOf(sequence), sequence.device, window);
        else {
          const newest = newestOf(rows, window, label);
          const run = rows.episodes[newest]!;
          const origin = rows.originNames[rows.origins[newest]!]!;
          const tools = attacks.get(trafficClasses[label]!) ?? new Map<string, Map<string, Int32Array[]>>();
          attacks.set(trafficClasses[label]!, tools);
          collect(tools, episodes[run]?.tool ?? origin, `${origin} ${run}`, window);
        }
      }
    }
    this.#benign = pools(benign);
    let weight = 0;
    for (const devices of this.#benign) {
      const windows = devices.reduce((sum, pool) => sum + pool.windows.length, 0);
      weight += Math.min(1, windows / wholeGroup);
      this.#weights.push(weight);
    }
    this.#attacks = [...attacks.values()].map(pools);
    if (this.#benign.length === 0) throw new Error(`the ${part} part holds no benign window`);
  }

  draw(count: number): WindowBlock {
    const block = emptyBlock(count);
    for (let index = 0; index < count; index++) {
      for (let attempt = 0; ; attempt++) {
        const mix = attempt < 20 ? this.#drawWindow() : { window: this.benignWindow() };
        const label = labelWindow(this.#rows, mix.window);
        if (label === undefined) continue;
        this.#write(mix, label, block, index);
        break;
      }
    }
    return block;
  }

  /** A benign window as it was. */
  benignWindow(): Int32Array {
    const lot = this.#random() * this.#weights.at(-1)!;
    const devices = this.#benign[this.#weights.findIndex((weight) => lot < weight)]!;
    return pick(pick(devices, this.#random).windows, this.#random);
  }

  /** From here on these benign windows are drawn more often. */
  dwellOn(windows: readonly Int32Array[]): void {
    this.#hard = [...windows];
  }

  #drawWindow(): WindowOfFlows {
    const random = this.#random;
    const shares = this.#shares;
    const lot = random();
    let mix: WindowOfFlows;
    if (lot < shares.attacks && this.#attacks.length > 0) {
      mix = { window: pick(pick(pick(pick(this.#attacks, random), random), random).windows, random) };
      if (random() < shares.diluted) mix = this.#spread(mix.window, (row) => this.#rows.classes[row] !== 0);
    } else if (lot < shares.attacks + shares.monotonous) {
      mix = { window: monotonous(this.benignWindow(), random), period: briefestPeriod * longestPeriod ** random() };
    } else if (lot < shares.attacks + shares.monotonous + shares.benignMixes) {
      mix = this.#spread(this.benignWindow());
    } else {
      const isHard = this.#hard.length > 0 && random() < shares.hardNegatives;
      mix = { window: isHard ? pick(this.#hard, random) : this.benignWindow() };
    }
    if (random() < shares.short) mix = { ...mix, window: shortened(mix.window, random), isBeginning: true };
    else mix = { ...mix, ...drawAcquaintance(this.#rows, mix.window, shares, random) };
    return random() < shares.jostled ? { ...mix, window: jostled(mix.window, random) } : mix;
  }

  /** One to nine flows of the window (of those that pass `chosen`) among those of a benign one, as their times fall. */
  #spread(window: Int32Array, chosen?: (row: number) => boolean): WindowOfFlows {
    const random = this.#random;
    const background = this.benignWindow();
    const kept = 1 + Math.floor(random() * (windowLength - 1));
    // Mostly moments, seldom minutes.
    const lag = Math.expm1(5 * random() * random());
    return inOrder(this.#rows, { window: dilute(window, background, kept, random, chosen), background, lag });
  }

  #write(mix: WindowOfFlows, label: number, block: WindowBlock, index: number): void {
    const { window } = mix;
    const random = this.#random;
    const start = index * windowLength * featureCount;
    writeWindow(this.#rows, window, block.windows, start);
    const flows = presentFlows(window).length;
    block.flowsSeen[index] = flows;
    block.labels[index] = label;
    writeFlowLabels(this.#rows, window, block, index);
    this.#writeContext(mix, block, index);
    const isRetimed = random() < this.#shares.retimed;
    const link = isRetimed ? Math.exp(linkSpread * normal(random)) : 1;
    const isResized = random() < this.#shares.resized;
    const forward = isResized ? Math.exp(sizeSpread * normal(random)) : 1;
    const backward = isResized ? Math.exp(sizeSpread * normal(random)) : 1;
    const headers = isResized ? 0.75 + 0.5 * random() : 1;
    const hidden = this.#typical !== undefined && random() < this.#shares.hidden ? this.#hideSome() : [];
    for (let slot = windowLength - flows; slot < windowLength; slot++) {
      const offset = start + slot * featureCount;
      if (isRetimed) retime(block.windows, offset, link * Math.exp(flowSpread * normal(random)));
      if (isResized) {
        resize(block.windows, offset, forward, backward);
        changeHeaders(block.windows, offset, headers);
      }
      for (const group of hidden) hide(block.windows, offset, group, this.#typical!);
    }
  }

  /** Another pace of life; attackers from inside as well; and now and then nobody knows. */
  #writeContext(mix: WindowOfFlows, block: WindowBlock, index: number): void {
    const random = this.#random;
    const shares = this.#shares;
    const tempo = random() < shares.retimed ? Math.exp(tempoSpread * normal(random)) : 1;
    const start = index * flowContextSize;
    writeContext(this.#rows, mix, block.flowContext, start, tempo);
    const comesFromInside = random() < shares.fromInside;
    const isUnfamiliar = random() < shares.unfamiliar;
    for (let column = 0; column < flowContextWidth; column++) {
      const isUnknown = column < firstFamiliarColumn ? random() < shares.unknown : isUnfamiliar;
      for (let at = start + column; at < start + flowContextSize; at += flowContextWidth) {
        if (isUnknown) block.flowContext[at] = unknownContext;
        else if (comesFromInside && column === directionColumn && block.flowContext[at] === inbound)
          block.flowContext[at] = internal;
      }
    }
  }

  #hideSome(): (readonly number[])[] {
    const count = 1 + Math.floor(this.#random() * 3);
    return Array.from({ length: count }, () => pick(hideableGroups, this.#random));
  }
}

/** The newest flow of that class. */
function newestOf(rows: FlowRows, window: Int32Array, label: number): number {
  return window.findLast((number) => number >= 0 && rows.classes[number] === label)!;
}

/** About normal, mean 0, standard deviation 1, never beyond 3. */
function normal(random: () => number): number {
  return 2 * (random() + random() + random() - 1.5);
}
