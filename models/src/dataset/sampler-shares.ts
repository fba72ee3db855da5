/** What batches are drawn from, and how often each variation happens to a window. */
import type { AcquaintanceShares } from './window-familiarity.ts';

/** Shares of what a batch is drawn from; the rest are benign windows as they were. */
export interface SamplerShares extends AcquaintanceShares {
  readonly attacks: number;
  readonly monotonous: number;
  readonly benignMixes: number;
  /** Of the benign windows: those that the network took for attacks when it was last asked. */
  readonly hardNegatives: number;
  /** Of the attack windows: spread among benign flows, 1 to 9 of ten. */
  readonly diluted: number;
  /** Of all windows. */
  readonly short: number;
  readonly jostled: number;
  readonly retimed: number;
  readonly resized: number;
  readonly hidden: number;
  /** Whoever comes from outside is said to be one of the LAN. */
  readonly fromInside: number;
  /** Of each of age, peer, direction and counts: not known for the whole window. */
  readonly unknown: number;
  /** How long device and peer are known is not. */
  readonly unfamiliar: number;
}

export const usualShares: SamplerShares = {
  attacks: 0.42,
  monotonous: 0.08,
  benignMixes: 0.07,
  hardNegatives: 0.45,
  diluted: 0.5,
  short: 0.3,
  jostled: 0.2,
  retimed: 0.2,
  resized: 0.15,
  hidden: 0.15,
  fromInside: 0.2,
  unknown: 0.05,
  unfamiliar: 0.1,
  listenedLonger: 0.4,
  beganLately: 0.1,
  newcomers: 0.7,
  ofNewcomers: 0.8,
  oldFriends: 0.05,
};
