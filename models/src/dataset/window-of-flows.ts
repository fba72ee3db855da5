/** What a window is made of, where it is one that never was: which flows, from where, and how they came together. */
import type { FlowRows } from './flow-rows.ts';

/** Row numbers, and how these flows came together. Without anything else: as they were captured. */
export interface WindowOfFlows {
  readonly window: Int32Array;
  /** Rows from another time or device: their ages run to the newest packet among themselves. */
  readonly background?: Int32Array;
  /** Seconds that the newest packet of the other flows lies before the background's. */
  readonly lag?: number;
  /** One or two flows over and over: seconds from one to the next. */
  readonly period?: number;
  /** So many times as long from one flow to the next, as if whoever made them took their time. */
  readonly pace?: number;
  /** The device had no flows before these. */
  readonly isBeginning?: boolean;
  /** Seconds that the gateway had listened before what was captured. */
  readonly longer?: number;
  /** Seconds that the device was known before what was captured, and none of its peers. */
  readonly deviceLonger?: number;
  /** The gateway began to listen at most so many seconds before the newest packet. */
  readonly atMost?: number;
  /** By pair: seconds from when the two met to the first of their flows here, where that is to be other than it was. */
  readonly met?: ReadonlyMap<number, number>;
}

/** So many periods are behind a flow that comes over and over; more of them would be told as no more. */
export const periodsBefore = 150;

/** Packet time of the newest of these rows. */
export function newestUs(rows: FlowRows, flows: readonly number[]): number {
  return flows.reduce((newest, row) => Math.max(newest, rows.lastUs[row]!), Number.NEGATIVE_INFINITY);
}
