/**
 * What is normal for each device: a running mean and spread of every feature over its benign flows, of log1p values
 * because traffic spans many orders. Alerts are told against it; nothing is decided by it. 632 bytes per device, bounded.
 */
import { featureCount, windowLength } from '@picket/shared/features/feature-schema';
import type { WindowContext } from './window-context.ts';

/** What a value is compared with. Means and spreads of log1p(feature), 78 each. */
export interface FeatureNormal {
  readonly of: 'device' | 'bundle';
  readonly mean: Float32Array;
  readonly spread: Float32Array;
}

interface Entry {
  flows: number;
  learnedAtUs: number;
  readonly mean: Float32Array;
  readonly variance: Float32Array;
}

/** So many flows make a normal. */
const minFlows = 20;
/** A flow never counts for less than this, so that a device may change its habits within some hundred flows. */
const slowestRate = 1 / 256;
/** A device that is known learns from one window in this time: what comes faster says little that is new. */
const learnEveryUs = 1_000_000;
const eagerFlows = 128;
/** Spread of a constant feature: below a third more or less is not worth a word. */
const smallestSpread = 0.15;
/** Of the typical flow of a bundle, whose own spread is not known: a factor of three either way is usual. */
const bundleSpread = 0.55;

export class DeviceNormals {
  readonly #entries = new Map<string, Entry>();
  readonly #capacity: number;
  #evicted = 0;

  constructor(capacity = 4096) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#entries.size;
  }

  get evicted(): number {
    return this.#evicted;
  }

  /** Learns from the fresh flows of a window that was judged benign. `features`: 10 × 78, present flows last. */
  learn(context: WindowContext, features: Float32Array): void {
    const { address } = context.device;
    const entry = this.#entries.get(address) ?? {
      flows: 0,
      learnedAtUs: Number.NEGATIVE_INFINITY,
      mean: new Float32Array(featureCount),
      variance: new Float32Array(featureCount),
    };
    if (entry.flows >= eagerFlows && Math.abs(context.atUs - entry.learnedAtUs) < learnEveryUs) return;
    entry.learnedAtUs = context.atUs;
    for (let row = windowLength - freshRows(context); row < windowLength; row++) learnFlow(entry, features, row);
    this.#entries.delete(address);
    this.#entries.set(address, entry);
    if (this.#entries.size <= this.#capacity) return;
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest);
      this.#evicted += 1;
      break;
    }
  }

  /** The device's own where it was seen for 20 flows, else the bundle's typical flow where it names one. */
  of(device: string, typicalFlow?: readonly number[]): FeatureNormal | undefined {
    const entry = this.#entries.get(device);
    if (entry === undefined || entry.flows < minFlows)
      return typicalFlow === undefined ? undefined : normalOfFlow(typicalFlow);
    const spread = entry.variance.map((variance) => Math.max(smallestSpread, Math.sqrt(variance)));
    return { of: 'device', mean: entry.mean, spread };
  }
}

function freshRows({ freshFlows, flowsSeen }: WindowContext): number {
  return Math.min(freshFlows, flowsSeen, windowLength);
}

function learnFlow(entry: Entry, features: Float32Array, row: number): void {
  entry.flows += 1;
  const rate = Math.max(1 / entry.flows, slowestRate);
  for (let column = 0; column < featureCount; column++) {
    const value = Math.log1p(Math.max(0, features[row * featureCount + column]!));
    const difference = value - entry.mean[column]!;
    entry.mean[column]! += rate * difference;
    entry.variance[column]! += rate * (difference * (value - entry.mean[column]!) - entry.variance[column]!);
  }
}

function normalOfFlow(flow: readonly number[]): FeatureNormal {
  return {
    of: 'bundle',
    mean: Float32Array.from(flow, (value) => Math.log1p(Math.max(0, value))),
    spread: new Float32Array(featureCount).fill(bundleSpread),
  };
}
