/** What is counted of flows that pass by, and the flows of those who are counted. */
import { CountedFlows } from '../policy/counted-flows.ts';
import type { JudgedFlow } from '../policy/judged-window.ts';
import { camera, startUs } from './judged-flows.ts';
import { passingWindows } from './passing-windows.ts';
import { times } from './prevention-gateway.ts';

/** Every count that the windows of these flows reached, in words, each once. */
export function countedIn(flows: readonly Partial<JudgedFlow>[], device = camera): readonly string[] {
  const counted = new CountedFlows();
  const words = passingWindows(flows, device).flatMap((seen) => {
    counted.add(seen);
    return counted.reached(device).map((count) => count.words);
  });
  return [...new Set(words)];
}

/** `count` flows, one each `everySeconds`, a millisecond long. */
export function oneAfterTheOther(
  count: number,
  everySeconds: number,
  make: (index: number) => Partial<JudgedFlow>,
): readonly Partial<JudgedFlow>[] {
  return times(count, (index) => {
    const startedAtUs = startUs + Math.round(index * everySeconds * 1e6);
    return { startedAtUs, lastPacketAtUs: startedAtUs + 1000, ...make(index) };
  });
}

/** A SYN that is refused. */
export const refused = { synPackets: 1, ackPackets: 1 } satisfies Partial<JudgedFlow>;
/** A wrong password. */
export const logIn = { fwdPackets: 14, bwdPackets: 13, fwdBytes: 2300, bwdBytes: 2900, synPackets: 2 };
