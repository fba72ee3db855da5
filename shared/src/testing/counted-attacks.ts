/** Attacks of many flows that the network calls benign, and a gateway that is shown them as they pass. */
import { defaultRules } from '../policy/default-rules.ts';
import type { JudgedFlow } from '../policy/judged-window.ts';
import { logIn, oneAfterTheOther, refused } from './counted-flows.ts';
import { camera, startUs } from './judged-flows.ts';
import { passingWindows } from './passing-windows.ts';
import { Gateway } from './prevention-gateway.ts';

export const attacker = '203.0.113.9';
export const neighbour = '192.168.1.30';

export type Flows = readonly Partial<JudgedFlow>[];
export const scan = (more: Partial<JudgedFlow> = {}, count = 40): Flows =>
  oneAfterTheOther(count, 0.1, (port) => ({ ...refused, dstPort: port + 1, ...more }));
export const guesses = (dstPort: number, more: Partial<JudgedFlow> = {}): Flows =>
  oneAfterTheOther(40, 1, () => ({ ...logIn, dstPort, ...more }));
export const flood = (srcIp: string): Flows =>
  oneAfterTheOther(120, 0.02, () => ({ fwdPackets: 1, bwdPackets: 0, synPackets: 1, dstPort: 80, srcIp }));
export const byCamera = (more: Partial<JudgedFlow> = {}): Flows =>
  scan({ srcIp: camera, dstIp: '198.51.100.7', direction: 'outbound', ...more });
export const later = (flows: Flows, seconds: number): Flows =>
  flows.map((flow) => ({
    ...flow,
    startedAtUs: (flow.startedAtUs ?? startUs) + seconds * 1e6,
    lastPacketAtUs: (flow.lastPacketAtUs ?? startUs) + seconds * 1e6,
  }));

/** The gateway, once all of it has passed. */
export function saw(flows: Flows, gateway = new Gateway(defaultRules), device = camera): Gateway {
  gateway.see(...passingWindows(flows, device));
  return gateway;
}
