/**
 * A flood of connections that nobody means to open, told from the flows alone. A network that learns what is usual may
 * be unsure of it, and need not be asked: so many strangers who knock on one port within a blink, and none of whom says a
 * word, are forged. Told on the gateway and from stored windows alike.
 */
import type { JudgedFlow, JudgedWindow } from './judged-window.ts';
import { outsideSource } from './source-prefix.ts';

export interface HalfOpenFlood {
  /** TCP port of the device. */
  readonly port: number;
  /** Sources, each with one connection. */
  readonly sources: number;
  /** In which they came, µs. */
  readonly withinUs: number;
}

/** So many different sources, one after the other … */
const minSources = 8;
/** … within this time: fifty a second. Below, it does no harm that could not wait for the network's word. */
const maxSpanUs = 160_000;
const tcp = 6;

/** Undefined where the window shows none. */
export function halfOpenFlood({ device, flows }: Pick<JudgedWindow, 'device' | 'flows'>): HalfOpenFlood | undefined {
  const knocks = flows.filter((flow) => flow.dstIp === device.address && isHalfOpen(flow));
  for (const [port, onPort] of Map.groupBy(knocks, ({ dstPort }) => dstPort)) {
    const ordered = onPort.toSorted((a, b) => a.startedAtUs - b.startedAtUs);
    for (let last = minSources - 1; last < ordered.length; last++) {
      const some = ordered.slice(last - minSources + 1, last + 1);
      const withinUs = some.at(-1)!.startedAtUs - some[0]!.startedAtUs;
      const sources = new Set(some.map(({ srcIp }) => outsideSource(srcIp).value)).size;
      if (withinUs <= maxSpanUs && sources === minSources) return { port, sources, withinUs };
    }
  }
  return undefined;
}

/** A SYN, perhaps the reset of whoever the address really belongs to, and not a byte in either direction. */
function isHalfOpen({ protocol, fwdPackets, fwdBytes, bwdBytes }: JudgedFlow): boolean {
  return protocol === tcp && fwdPackets <= 2 && fwdBytes === 0 && bwdBytes === 0;
}
