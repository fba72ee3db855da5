/** The columns of a pack of flows. */
import { featureCount } from '@picket/shared/features/feature-schema';

export interface FlowColumns {
  /** rows × 78, not normalised; a feature that was no finite number is 0. */
  readonly features: Float32Array<ArrayBuffer>;
  /** First packet of the flow and newest packet of this row, microseconds since 1970. Rows stand in the agent's order. */
  readonly startUs: Float64Array<ArrayBuffer>;
  readonly lastUs: Float64Array<ArrayBuffer>;
  /** A report replaces the slot of the same flow number in the window. */
  readonly flowNumber: Uint32Array<ArrayBuffer>;
  readonly reportNumber: Uint16Array<ArrayBuffer>;
  /** The device whose window gets the row, as a number into `header.addresses`. */
  readonly device: Uint16Array<ArrayBuffer>;
  /** Where both ends are inside: the other one, whose window gets the row too; else `nothing`. */
  readonly otherDevice: Uint16Array<ArrayBuffer>;
  /** The end that is not `device`. Its window per peer, where one is kept, gets the row as well. */
  readonly peer: Uint16Array<ArrayBuffer>;
  /** Which way the flow went, seen from `device`: a number into `directions`, or `unknownDirection`. */
  readonly direction: Uint8Array<ArrayBuffer>;
  /** Port of the responder: for baselines that are to show what a port alone would give, never for the network. */
  readonly port: Uint16Array<ArrayBuffer>;
  readonly protocol: Uint8Array<ArrayBuffer>;
  /** Number into `header.episodes`, or `nothing` for benign. */
  readonly episode: Uint16Array<ArrayBuffer>;
}

/** Bytes of each column beside features and times, in the order in which they are stored. */
export const keyColumns = {
  flowNumber: 4,
  reportNumber: 2,
  device: 2,
  otherDevice: 2,
  peer: 2,
  port: 2,
  protocol: 1,
  episode: 2,
  direction: 1,
} as const;

/** Columns of zeros. */
export function emptyColumns(rows: number): FlowColumns {
  return {
    features: new Float32Array(rows * featureCount),
    startUs: new Float64Array(rows),
    lastUs: new Float64Array(rows),
    flowNumber: new Uint32Array(rows),
    reportNumber: new Uint16Array(rows),
    device: new Uint16Array(rows),
    otherDevice: new Uint16Array(rows),
    peer: new Uint16Array(rows),
    direction: new Uint8Array(rows),
    port: new Uint16Array(rows),
    protocol: new Uint8Array(rows),
    episode: new Uint16Array(rows),
  };
}
