/**
 * Conversations whose beginning the capture lost. A flow belongs to whoever sent the first packet that was seen of it, so
 * that under a flood, when packets are lost, the answers of the device under attack look like conversations of its own.
 */
import { macsOf, talksOutward, type AttackClass, type JudgedFlow } from './judged-window.ts';
import { isServicePort } from './service-ports.ts';

const tcp = 6;

/**
 * Most likely the rest of what a host outside opened: TCP from a port that is served to one that is not, no SYN, and the other
 * end acknowledges what is said. Where it only refuses, or is silent, the device did it alone. Services on other ports, and
 * who sends from the port of a service himself, are not told.
 */
export function isAnswerToUnseen(flow: JudgedFlow): boolean {
  const { srcPort = 0, dstPort, fwdPackets, ackPackets = 0 } = flow;
  // a refusal acknowledges nothing where what it refuses did, and these are more than the device itself can have sent
  return isOutwardRest(flow) && ackPackets > fwdPackets && isServicePort(srcPort) && !isServicePort(dstPort);
}

function isOutwardRest({ protocol, direction, isRelayed, synPackets, srcPort }: JudgedFlow): boolean {
  const isOutward = protocol === tcp && direction === 'outbound' && isRelayed !== true;
  return isOutward && synPackets === 0 && srcPort !== undefined;
}

/**
 * The flows as their other ends opened them, where they are most likely the rest of that, or where that host opens others to
 * the same port in `seen`, all flows of the window. As they are where the attack is what the device sends, whoever opened the
 * line, and where another MAC spoke in its name.
 */
export function asOpened<Flow extends JudgedFlow>(
  flows: readonly Flow[],
  attack: AttackClass,
  device: string,
  seen: readonly JudgedFlow[],
): readonly Flow[] {
  if (talksOutward(attack) || macsOf(seen, device).length > 1) return flows;
  const asked = new Set(seen.filter(isBegunOutside).map(({ srcIp, dstPort }) => `${srcIp} ${dstPort}`));
  return flows.map((flow) => {
    const isAsked = isOutwardRest(flow) && asked.has(`${flow.dstIp} ${flow.srcPort}`);
    return isAsked || isAnswerToUnseen(flow) ? turned(flow) : flow;
  });
}

function isBegunOutside({ protocol, direction, synPackets = 0 }: JudgedFlow): boolean {
  return protocol === tcp && direction === 'inbound' && synPackets > 0;
}

function turned<Flow extends JudgedFlow>(flow: Flow): Flow {
  const { srcIp, srcPort, dstIp, dstPort, fwdPackets, bwdPackets, fwdBytes, bwdBytes } = flow;
  return {
    ...flow,
    direction: 'inbound',
    srcIp: dstIp,
    srcPort: dstPort,
    dstIp: srcIp,
    dstPort: srcPort,
    srcMac: null,
    fwdPackets: bwdPackets,
    bwdPackets: fwdPackets,
    fwdBytes: bwdBytes,
    bwdBytes: fwdBytes,
  };
}
