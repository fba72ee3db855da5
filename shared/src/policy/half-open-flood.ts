/**
 * A flood of connections that nobody means to open, told from the flows alone. A network that learns what is usual may
 * be unsure of it, and need not be asked: so many strangers who knock on one port within a blink, are answered, and leave
 * it at that, are forged. Who is refused, or goes on by as little as an acknowledgement, is a client, however many come at
 * once. Where nobody answers, clients of a device that is down look alike, and far more haste is asked for.
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
  /** When the newest of all knocks that the window shows came, µs: what came later is another burst. */
  readonly untilUs: number;
}

/** So many different sources, one after the other, within this time. */
interface Burst {
  readonly sources: number;
  readonly spanUs: number;
}

/** Fifty a second. Below, it does no harm that could not wait for the network's word. */
const answered: Burst = { sources: 8, spanUs: 160_000 };
/**
 * A whole window at 500 a second: clients that come back after an outage spread over tenths of a second by their own
 * timers and ways, and what is down for them loses nothing by the bound.
 */
const unanswered: Burst = { sources: 10, spanUs: 20_000 };
const tcp = 6;

/** Undefined where the window shows none. Knocks up to `afterUs` (packet time) are not counted: they were seen before. */
export function halfOpenFlood(
  { device, flows }: Pick<JudgedWindow, 'device' | 'flows'>,
  afterUs = Number.NEGATIVE_INFINITY,
): HalfOpenFlood | undefined {
  const knocks = flows.filter(
    (flow) =>
      flow.dstIp === device.address && flow.direction === 'inbound' && flow.startedAtUs > afterUs && isHalfOpen(flow),
  );
  const untilUs = Math.max(...knocks.map(({ startedAtUs }) => startedAtUs));
  for (const [port, onPort] of Map.groupBy(knocks, ({ dstPort }) => dstPort)) {
    const met = onPort.filter(({ bwdPackets }) => bwdPackets > 0);
    const burst = burstOf(answered, met) ?? burstOf(unanswered, onPort);
    if (burst !== undefined) return { port, ...burst, untilUs };
  }
  return undefined;
}

function burstOf(
  { sources, spanUs }: Burst,
  knocks: readonly JudgedFlow[],
): Pick<HalfOpenFlood, 'sources' | 'withinUs'> | undefined {
  const ordered = knocks.toSorted((a, b) => a.startedAtUs - b.startedAtUs);
  for (let last = sources - 1; last < ordered.length; last++) {
    const some = ordered.slice(last - sources + 1, last + 1);
    const withinUs = some.at(-1)!.startedAtUs - some[0]!.startedAtUs;
    const strangers = new Set(some.map(({ srcIp }) => outsideSource(srcIp).value)).size;
    if (withinUs <= spanUs && strangers === sources) return { sources, withinUs };
  }
  return undefined;
}

/** Only SYNs came, and only SYN-ACKs went: neither acknowledged, nor refused, nor a byte said. False where nobody knows. */
export function isHalfOpen(flow: JudgedFlow): boolean {
  const { protocol, fwdPackets, bwdPackets, fwdBytes, bwdBytes, synPackets, ackPackets } = flow;
  return (
    protocol === tcp &&
    synPackets === fwdPackets + bwdPackets &&
    ackPackets === bwdPackets &&
    fwdBytes === 0 &&
    bwdBytes === 0
  );
}
