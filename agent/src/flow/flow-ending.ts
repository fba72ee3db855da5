/** Why a flow is handed over, and how far a TCP connection has come towards its end. */
import { tcpFlag } from '../packet/packet-fields.ts';
import { directionField, flowField } from './flow-fields.ts';

/** In the order of the contract's `FlowEnd`; a test holds them together. */
export const flowEnd = { report: 0, closed: 1, reset: 2, idle: 3, timeout: 4, evicted: 5, endOfInput: 6 } as const;
export type FlowEndCode = (typeof flowEnd)[keyof typeof flowEnd];

export const tcpState = { open: 0, firstFin: 1, bothFins: 2, closed: 3, reset: 4 } as const;

/** Move on by a packet with these flags, which the record already counts; returns the state reached. */
export function advanceTcpState(values: Float64Array, record: number, flags: number): number {
  const state = values[record + flowField.tcpState]!;
  if (state >= tcpState.closed) return state;
  let next = state;
  if ((flags & tcpFlag.rst) !== 0) {
    next = tcpState.reset;
  } else if ((flags & tcpFlag.fin) !== 0) {
    const both =
      values[record + flowField.forward + directionField.fin]! > 0 &&
      values[record + flowField.backward + directionField.fin]! > 0;
    next = both ? tcpState.bothFins : tcpState.firstFin;
  } else if (state === tcpState.bothFins && (flags & tcpFlag.ack) !== 0) {
    next = tcpState.closed;
  }
  values[record + flowField.tcpState] = next;
  return next;
}
