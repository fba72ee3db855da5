/**
 * Conversations whose beginning the capture lost. A flow belongs to whoever sent the first packet that was seen of it, so
 * that under a flood, when packets are lost, the answers of the device under attack look like conversations of its own.
 */
import type { JudgedFlow } from './judged-window.ts';
import { isServicePort } from './service-ports.ts';

const tcp = 6;

/**
 * The flow as its other end opened it, where it can only be the rest of that: TCP without a SYN from a port that is
 * served to a host outside, to one that is not. Any other as it is, and so is what comes in that way: whoever is outside
 * may pick the port to send from, and is not to have the device blamed for it.
 */
export function asOpened(flow: JudgedFlow): JudgedFlow {
  const { protocol, direction, synPackets, srcPort, dstPort } = flow;
  if (protocol !== tcp || direction !== 'outbound' || synPackets !== 0 || srcPort === undefined) return flow;
  if (!isServicePort(srcPort) || isServicePort(dstPort)) return flow;
  return {
    ...flow,
    direction: 'inbound',
    srcIp: flow.dstIp,
    srcPort: dstPort,
    dstIp: flow.srcIp,
    dstPort: srcPort,
    isRelayed: false,
    srcMac: null,
    fwdPackets: flow.bwdPackets,
    bwdPackets: flow.fwdPackets,
    fwdBytes: flow.bwdBytes,
    bwdBytes: flow.fwdBytes,
  };
}
