/**
 * What no single flow can tell, and a gateway knows of each flow of a window beside its 78 features: how long ago it
 * began, which of the window's peers it was with, which way it went, how many new flows the device had of late, and how
 * long the two have known each other. Ten refused connections within a second, from one host outside, are something else
 * than ten within an hour to as many, and than those of a host that was refused ever since the gateway listens. A network
 * may take it as a further input, `flow_context`; the 78 features stay what they are. Addresses never reach the network:
 * only which flows share one.
 */
import { FlowDirection } from '../contract/address.ts';
import { windowLength } from './feature-schema.ts';

/** Of what the numbers of a flow are and how they are counted: a network that was taught others would misread these. */
export const flowContextVersion = 2;
/** Numbers per flow: age, peer, direction, recent flows of the device and of the peer, how long the peer and the device are known. */
export const flowContextWidth = 7;
export const flowContextSize = windowLength * flowContextWidth;
/** Of any of the seven, where nobody knows: in flows that come without times or addresses. */
export const unknownContext = -1;

/** One flow of a window. */
export interface FlowContext {
  /** From the flow's first packet to the newest packet of the window. */
  readonly ageSeconds: number;
  /** Number of the flow's peer among those of the window, in the order in which they appear, from 0. */
  readonly peer: number;
  /** Number into `FlowDirection.options`, seen from the window's device. */
  readonly direction: number;
  /** New flows of late, see `recent-flows.ts`. */
  readonly recentOfDevice: number;
  readonly recentOfPeer: number;
  /** From the first packet of the device's first flow with this peer, and of its first flow at all, to the newest packet of the window. */
  readonly peerKnownSeconds: number;
  readonly deviceKnownSeconds: number;
}

/** All of `windows` windows, and nothing known of any flow. */
export function unknownFlowContext(windows: number): Float32Array<ArrayBuffer> {
  return new Float32Array(windows * flowContextSize).fill(unknownContext);
}

/** Writes one window's flows, oldest first, into the last slots of the 10 × 7 numbers at `offset`; the others stay as they are. */
export function writeFlowContext(flows: readonly FlowContext[], to: Float32Array, offset: number): void {
  let at = offset + (windowLength - flows.length) * flowContextWidth;
  for (const flow of flows) {
    to[at] = flow.ageSeconds;
    to[at + 1] = flow.peer;
    to[at + 2] = flow.direction;
    to[at + 3] = flow.recentOfDevice;
    to[at + 4] = flow.recentOfPeer;
    to[at + 5] = flow.peerKnownSeconds;
    to[at + 6] = flow.deviceKnownSeconds;
    at += flowContextWidth;
  }
}

export function directionNumber(direction: FlowDirection): number {
  return FlowDirection.options.indexOf(direction);
}
