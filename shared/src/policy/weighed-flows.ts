/** The flows of a window as evidence of one attack: which end opened each, and how much it counts. */
import { likeness, unlike } from './attack-likeness.ts';
import type { AttackClass, JudgedFlow, JudgedWindow } from './judged-window.ts';
import { asOpened } from './unseen-opening.ts';

export interface WeighedFlow {
  readonly flow: JudgedFlow;
  readonly peer: string;
  readonly openedByDevice: boolean;
  /** Its beginning was not seen: `flow` is what its other end most likely opened. */
  readonly isTurned: boolean;
  readonly weight: number;
  /** It does what this attack is made of. */
  readonly isLike: boolean;
}

/** The part of a window that an offender is found from. */
export interface OffenderWindow extends Pick<JudgedWindow, 'device' | 'flows' | 'flowImportance'> {
  /** All flows of the window, where `flows` are some of them: who sent with more than one MAC did so in any of them. */
  readonly seen?: readonly JudgedFlow[];
}

export function weighFlows(window: OffenderWindow, attack: AttackClass): readonly WeighedFlow[] {
  const importance = window.flowImportance ?? [];
  const highest = Math.max(0, ...importance);
  const { flows, seen = flows, device } = window;
  return asOpened(flows, attack, device.address, seen).map((flow, index) => {
    const openedByDevice =
      flow.direction === 'outbound' || (flow.direction === 'internal' && flow.srcIp === window.device.address);
    const like = likeness(flow, attack);
    return {
      flow,
      openedByDevice,
      isTurned: flow !== flows[index],
      peer: openedByDevice ? flow.dstIp : flow.srcIp,
      weight: like * emphasis(importance[index] ?? 0, highest),
      isLike: like > unlike || attack === 'data_exfiltration',
    };
  });
}

/**
 * The explanation sharpens and never decides alone: one flow it leans on (an admin's log-in in the middle of an attack)
 * must not outweigh several that do the same.
 */
function emphasis(share: number, highest: number): number {
  return highest > 0 ? 0.5 + (0.5 * Math.max(share, 0)) / highest : 1;
}

export function totalWeight(flows: readonly WeighedFlow[]): number {
  return flows.reduce((sum, flow) => sum + flow.weight, 0);
}
