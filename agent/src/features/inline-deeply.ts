/**
 * The path of a packet is a dozen small functions. The engine's limits for building one into another are made for web
 * pages and leave half of them as calls; with these limits the meter needs a fifth less time (BENCHMARKS.md).
 */
import { setFlagsFromString } from 'node:v8';

/** For the whole process, and for whatever is compiled from now on. Costs nothing when it is called again. */
export function inlineDeeply(): void {
  setFlagsFromString('--max-inlined-bytecode-size=2000');
  setFlagsFromString('--max-inlined-bytecode-size-cumulative=5000');
}
