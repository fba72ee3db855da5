/**
 * The path of a packet is a dozen small functions. The engine's limits for building one into another are made for web
 * pages and leave half of them as calls; with these limits the meter needs a fifth less time for each packet, once
 * larger pieces have been compiled: that costs a third of a second first, or what three million packets save (BENCHMARKS.md).
 */
import { setFlagsFromString } from 'node:v8';

/** Capture bytes from which on it pays: three million packets of a usual mixture. */
export const worthInlining = 1_500_000_000;

/** For who meters for long, before it begins. For the whole process. */
export function inlineDeeply(): void {
  setFlagsFromString('--max-inlined-bytecode-size=2000');
  setFlagsFromString('--max-inlined-bytecode-size-cumulative=5000');
}
