/** TCP connections that were begun and led nowhere: refused, left without an answer, or hung up on ahead of the handshake. */
import { tcp } from './counted-kind.ts';
import type { JudgedFlow } from './judged-window.ts';

/** SYNs that are sent again are one flow. */
const maxPackets = 5;

/** Not a byte was said, and no handshake was completed. */
export function isKnockInVain(flow: JudgedFlow): boolean {
  const { protocol, fwdPackets, fwdBytes, bwdBytes, synPackets = 0 } = flow;
  const isKnock = protocol === tcp && synPackets >= 1 && fwdPackets <= maxPackets && fwdBytes === 0 && bwdBytes === 0;
  return isKnock && !gotThrough(flow);
}

/**
 * Who got through a handshake found what is served there: programs that look after others (is it still up?) do nothing else,
 * and a scan meets mostly what is closed.
 */
function gotThrough({ bwdPackets, ackPackets = 0 }: JudgedFlow): boolean {
  return ackPackets > bwdPackets; // more than the answers acknowledge
}
