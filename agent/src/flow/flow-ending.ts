/** Why a flow is handed over, and how far a TCP connection has come towards its end. */
import { tcpFlag } from '../packet/packet-fields.ts';
import { directionInt, flowByte, flowField, recordBytes, recordInts } from './flow-fields.ts';

const t = tcpFlag;
const fb = flowByte;
const ints32 = recordInts;
const bytes8 = recordBytes;
const finForward = flowField.forward * 2 + directionInt.fin;
const finBackward = flowField.backward * 2 + directionInt.fin;

/** In the order of the contract's `FlowEnd`; a test holds them together. */
export const flowEnd = { report: 0, closed: 1, reset: 2, idle: 3, timeout: 4, evicted: 5, endOfInput: 6 } as const;
export type FlowEndCode = (typeof flowEnd)[keyof typeof flowEnd];

export const tcpState = { open: 0, firstFin: 1, bothFins: 2, closed: 3, reset: 4 } as const;

/**
 * Move on by a packet with these flags, which the record of `slot` already counts; returns the state reached.
 */
export function advanceTcpState(ints: Int32Array, bytes: Uint8Array, slot: number, flags: number): number {
  const state = bytes[slot * bytes8 + fb.tcpState]!;
  if (state >= tcpState.closed) return state;
  let next = state;
  if ((flags & t.rst) !== 0) {
    next = tcpState.reset;
  } else if ((flags & t.fin) !== 0) {
    const record = slot * ints32;
    const both = ints[record + finForward]! > 0 && ints[record + finBackward]! > 0;
    next = both ? tcpState.bothFins : tcpState.firstFin;
  } else if (state === tcpState.bothFins && (flags & t.ack) !== 0) {
    next = tcpState.closed;
  }
  bytes[slot * bytes8 + fb.tcpState] = next;
  return next;
}
