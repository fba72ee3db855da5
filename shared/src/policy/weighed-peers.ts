/** The other ends of weighed flows: how much of an attack each host carries, and whether it may be somebody else's name. */
import { isSlow } from './attack-likeness.ts';
import { macsOf, type AttackClass, type JudgedFlow } from './judged-window.ts';
import { outsideSource } from './source-prefix.ts';
import { totalWeight, type WeighedFlow } from './weighed-flows.ts';

export interface PeerWeight {
  /** The address that most of it came from. */
  readonly peer: string;
  readonly weight: number;
  readonly isInside: boolean;
  readonly isGenuine: boolean;
  readonly isLike: boolean;
  /** A device of the LAN in whose name a router, or somebody with another MAC, brought some of it. */
  readonly isForgeable: boolean;
}

/** Strongest first. The addresses of one outside host of IPv6 count together. */
export function byPeer(
  flows: readonly WeighedFlow[],
  attack: AttackClass,
  seen: readonly JudgedFlow[],
): readonly PeerWeight[] {
  const isInside = ({ flow }: WeighedFlow): boolean => flow.direction === 'internal';
  const hosts = Map.groupBy(flows, (flow) => (isInside(flow) ? flow.peer : outsideSource(flow.peer).value));
  const [asking, ...othersAsking] = [...hosts.values()].filter((own) => own.some(isUnanswered));
  return [...hosts.values()]
    .map((own) => ({
      peer: own.reduce((best, flow) => (flow.weight > best.weight ? flow : best)).peer,
      weight: totalWeight(own),
      isInside: own.every(isInside),
      isGenuine: own.some(isGenuine),
      isLike:
        own.some((flow) => flow.isLike) ||
        (attack === 'ddos_flood' && areHasty(own)) ||
        (attack === 'slow_rate' &&
          (areHeld(own) || (othersAsking.length === 0 && own === asking && areUnanswered(own)))),
      isForgeable: own.some(
        (flow) => isInside(flow) && (flow.flow.isRelayed === true || macsOf(seen, flow.peer).length > 1),
      ),
    }))
    .sort((a, b) => b.weight - a.weight);
}

/**
 * The device said something in return, which TCP does only after the other end repeated a number that was sent to its
 * address: that address is no forgery. Bare answers prove nothing: whatever is sent blindly is refused, or acknowledged.
 * Where it was not seen that the other end began, it has to say something as well.
 */
function isGenuine({ flow: { protocol, fwdPackets, fwdBytes, bwdBytes }, isTurned }: WeighedFlow): boolean {
  return protocol === 6 && fwdPackets >= 3 && bwdBytes > 0 && (!isTurned || fwdBytes > 0);
}

/** Flows of one host within a window that many a second are a flood, whatever each of them carries. */
const minFloodFlows = 3;
const floodFlowsPerSecond = 5;

function areHasty(flows: readonly WeighedFlow[]): boolean {
  const starts = flows.map(({ flow }) => flow.startedAtUs);
  const seconds = (Math.max(...starts) - Math.min(...starts)) / 1e6;
  return flows.length >= minFloodFlows && flows.length - 1 >= floodFlowsPerSecond * seconds;
}

/** Lines of one host to one port that are held side by side, each fed a little: nobody uses so many, whatever answers came. */
const minHeldLines = 4;

function areHeld(flows: readonly WeighedFlow[]): boolean {
  const slow = flows.filter(({ flow }) => flow.protocol === 6 && isSlow(flow));
  return [...Map.groupBy(slow, ({ flow }) => flow.dstPort).values()].some((lines) => {
    const begunUs = Math.max(...lines.map(({ flow }) => flow.startedAtUs));
    return lines.filter(({ flow }) => flow.lastPacketAtUs >= begunUs).length >= minHeldLines;
  });
}

/** Most lines of the only host that waits for an answer: so many at once wait for none. */
const unansweredShare = 0.8;

/**
 * As many lines to one port, something asked on each and nothing answered, too young to be slow. Of the only host in the
 * window that waits for an answer: once a service is held up, its visitors wait as well.
 */
function areUnanswered(flows: readonly WeighedFlow[]): boolean {
  const lines = flows.filter(isUnanswered);
  const ports = new Set(lines.map(({ flow }) => flow.dstPort));
  return ports.size === 1 && lines.length >= minHeldLines && lines.length >= unansweredShare * flows.length;
}

function isUnanswered({ flow: { protocol, fwdBytes, bwdBytes } }: WeighedFlow): boolean {
  return protocol === 6 && fwdBytes > 0 && bwdBytes === 0;
}
