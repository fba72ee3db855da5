/** How much one flow by itself looks like an attack: what tells those that carry it from a device's everyday life. */
import type { AttackClass, JudgedFlow } from './judged-window.ts';
import { servicePortFit } from './service-ports.ts';

/** The likeness of a flow that shows nothing of the attack. */
export const unlike = 0.1;

/** How much this flow alone looks like the attack, up to 1: tells it from the device's everyday flows. */
export function likeness(flow: JudgedFlow, attack: AttackClass): number {
  const fit = servicePortFit(attack, flow.dstPort);
  if (fit !== undefined) return Math.max(fit, unlike);
  const seconds = (flow.lastPacketAtUs - flow.startedAtUs) / 1e6;
  if (attack === 'port_scan') return flow.fwdPackets <= 4 && flow.fwdBytes + flow.bwdBytes <= 200 ? 1 : unlike;
  if (attack === 'ddos_flood') return flow.bwdBytes === 0 || flow.fwdPackets >= 50 * Math.max(seconds, 1) ? 1 : unlike;
  if (attack === 'slow_rate') return isSlow(flow) && !isDialogue(flow) ? 1 : unlike;
  if (attack === 'data_exfiltration') return Math.min(1, 0.01 + flow.fwdBytes / 100_000);
  return 1;
}

/** A line on which next to nothing is said. */
export function isSlow({ startedAtUs, lastPacketAtUs, fwdBytes }: JudgedFlow): boolean {
  const seconds = (lastPacketAtUs - startedAtUs) / 1e6;
  return seconds >= 1 && fwdBytes <= 300 * seconds;
}

/** Both ends say about as much, again and again: a line that is kept open and used, not one that somebody holds up. */
function isDialogue({ fwdPackets, bwdPackets, fwdBytes, bwdBytes }: JudgedFlow): boolean {
  return Math.min(fwdPackets, bwdPackets) >= 6 && bwdBytes >= fwdBytes / 2 && bwdBytes <= fwdBytes * 2;
}
