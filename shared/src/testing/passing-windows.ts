/** The windows that a gateway shows of flows as they come: the newest ten, four times a second, each in several of them. */
import type { JudgedFlow, JudgedWindow } from '../policy/judged-window.ts';
import { camera, knock } from './judged-flows.ts';
import { window } from './prevention-gateway.ts';

const windowLength = 10;
const paceUs = 250_000;

/** Of benign traffic, as the network says. Flows by the order of their last packets. */
export function passingWindows(sketches: readonly Partial<JudgedFlow>[], device = camera): readonly JudgedWindow[] {
  const flows = sketches.map((sketch): JudgedFlow => ({ ...knock, dstIp: device, ...sketch }));
  return flows.flatMap((flow, index) => {
    const next = flows[index + 1];
    const isShown = next === undefined || index % 5 === 4 || next.lastPacketAtUs - flow.lastPacketAtUs >= paceUs;
    if (!isShown) return [];
    const shown = flows.slice(Math.max(0, index + 1 - windowLength), index + 1);
    return [{ ...window(0, 'other_attack', shown, device), atUs: flow.lastPacketAtUs, score: 0.01 }];
  });
}
