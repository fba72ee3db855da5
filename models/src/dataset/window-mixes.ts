/** Windows made of other windows, as lists of row numbers: diluted, cut short, put into another order, monotonous. */
import { windowLength } from '@picket/shared/features/feature-schema';

export function presentFlows(window: Int32Array): number[] {
  return [...window].filter((number) => number >= 0);
}

/** Ten slots, the given flows in the last ones. */
export function padded(flows: readonly number[]): Int32Array {
  const window = new Int32Array(windowLength).fill(-1);
  window.set(flows.slice(-windowLength), windowLength - Math.min(flows.length, windowLength));
  return window;
}

/** The newest `kept` flows of `window` (of those that pass `chosen`) spread among those of `background`. */
export function dilute(
  window: Int32Array,
  background: Int32Array,
  kept: number,
  random: () => number,
  chosen: (row: number) => boolean = () => true,
): Int32Array {
  const flows = presentFlows(window).filter(chosen).slice(-kept);
  const others = presentFlows(background);
  const mixed = others.slice(others.length - Math.min(others.length, windowLength - flows.length));
  let at = 0;
  for (const flow of flows) {
    at += Math.floor(random() * (mixed.length - at + 1));
    mixed.splice(at, 0, flow);
    at += 1;
  }
  return padded(mixed);
}

/** One or two flows of the window again and again. */
export function monotonous(window: Int32Array, random: () => number): Int32Array {
  const flows = presentFlows(window);
  const first = flows[Math.floor(random() * flows.length)]!;
  const second = random() < 0.6 ? first : flows[Math.floor(random() * flows.length)]!;
  const length = 1 + Math.floor(random() * windowLength);
  return padded(Array.from({ length }, (_, index) => (index % 2 === 0 ? first : second)));
}

/** Only the newest flows. */
export function shortened(window: Int32Array, random: () => number): Int32Array {
  const flows = presentFlows(window);
  return padded(flows.slice(flows.length - 1 - Math.floor(random() * flows.length)));
}

/**
 * Flows that end at about the same time may be handed over in either order, and reports keep the slot of their flow:
 * neighbours trade places, as often as chance has it.
 */
export function jostled(window: Int32Array, random: () => number): Int32Array {
  const flows = presentFlows(window);
  for (let at = 1; at < flows.length; at++) {
    if (random() < 0.5) [flows[at - 1], flows[at]] = [flows[at]!, flows[at - 1]!];
  }
  return padded(flows);
}
