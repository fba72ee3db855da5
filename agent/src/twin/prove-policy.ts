/** Attempts that are repeated until they succeed, the time is up, or nobody needs them any more. */
import { abortableDelay } from './abortable-delay.ts';
import { textOfError } from './text-of-error.ts';

/** Resolves when broker and controller answered over connections that did not exist before; else rejects with why. */
export type ProveReachable = (signal: AbortSignal) => Promise<void>;

/** Between two proofs while the time to confirm runs. */
const longestProofPauseMs = 5000;

/** Undefined once the controller answered over new connections; else why it did not, when the time was up. */
export async function confirmWithin(
  withinMs: number,
  proveReachable: ProveReachable,
  retryMs: number,
  stop: AbortSignal,
): Promise<string | undefined> {
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), withinMs);
  const signal = AbortSignal.any([stop, deadline.signal]);
  let reason = 'no answer';
  let wait = retryMs;
  try {
    while (!signal.aborted) {
      try {
        await proveReachable(signal);
        return undefined;
      } catch (error) {
        if (!signal.aborted) reason = textOfError(error);
      }
      await abortableDelay(wait, signal);
      wait = Math.min(longestProofPauseMs, wait * 2);
    }
    return `not confirmed within ${withinMs / 1000} s: ${reason}`;
  } finally {
    clearTimeout(timer);
  }
}

/** With what held before back in place: does nobody answer even so? Then the change is not to blame. */
export async function isOutage(proveReachable: ProveReachable, stop: AbortSignal): Promise<boolean> {
  try {
    await proveReachable(stop);
    return false;
  } catch {
    return !stop.aborted;
  }
}

export interface Waiting {
  /** Throws or rejects with what is in the way. */
  readonly attempt: (signal: AbortSignal) => Promise<void> | void;
  readonly onObstacle: (reason: string) => void;
  /** Between two attempts: the first pause, doubled up to the longest. */
  readonly retryMs: number;
  readonly longestMs: number;
}

/** True once an attempt succeeded; false where `signal` says that it is needed no more. */
export async function waitUntil(
  { attempt, onObstacle, retryMs, longestMs }: Waiting,
  signal: AbortSignal,
): Promise<boolean> {
  let wait = retryMs;
  while (!signal.aborted) {
    try {
      const underWay = attempt(signal);
      if (underWay === undefined) return true; // done at once: nothing can have come in between
      await underWay;
      return !signal.aborted;
    } catch (error) {
      if (signal.aborted) return false;
      onObstacle(textOfError(error));
    }
    await abortableDelay(wait * (0.75 + Math.random() / 2), signal);
    wait = Math.min(longestMs, wait * 2);
  }
  return false;
}
