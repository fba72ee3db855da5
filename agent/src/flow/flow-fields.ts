/**
 * Where each number of a flow stands in its record: 80 doubles side by side. All sums are of whole numbers and stay
 * exact, so that means and variances can be taken at the end without drift.
 */

/** Offsets of one direction's part, from the beginning of that part. */
export const directionField = {
  packets: 0,
  firstAtUs: 1,
  lastAtUs: 2,
  payloadBytes: 3,
  payloadSquares: 4,
  payloadMax: 5,
  payloadMin: 6,
  headerBytes: 7,
  headerMin: 8,
  /** Inter-arrival times within the direction; their sum is lastAt - firstAt. */
  iatSquares: 9,
  iatMax: 10,
  iatMin: 11,
  psh: 12,
  urg: 13,
  fin: 14,
  /** Packets with payload. */
  dataPackets: 15,
  bulkStartUs: 16,
  bulkLastUs: 17,
  bulkCount: 18,
  bulkSize: 19,
  bulks: 20,
  bulkPackets: 21,
  bulkBytes: 22,
  bulkDurationUs: 23,
} as const;

/** Offsets from the beginning of a record. */
export const flowField = {
  startedAtUs: 0,
  lastPacketAtUs: 1,
  iatSquares: 2,
  iatMax: 3,
  iatMin: 4,
  /** Gaps of more than 1 s. */
  gaps: 5,
  activeStartUs: 6,
  activeCount: 7,
  activeSum: 8,
  activeSquares: 9,
  activeMax: 10,
  activeMin: 11,
  idleCount: 12,
  idleSum: 13,
  idleSquares: 14,
  idleMax: 15,
  idleMin: 16,
  syn: 17,
  rst: 18,
  ack: 19,
  cwr: 20,
  ece: 21,
  /** Of the flow's first packet. */
  firstPayloadBytes: 22,
  firstFlags: 23,
  firstWindow: 24,
  /** 1 when the first packet went forward; 0 after an orientation was kept or turned. */
  firstIsForward: 25,
  lastBackwardWindow: 26,
  /** First that is not 0. */
  firstBackwardWindow: 27,
  flowNumber: 28,
  /** How often the flow was reported. */
  reports: 29,
  packetsAtReport: 30,
  /** See `tcpState` in flow-ending.ts. */
  tcpState: 31,
  /** Where the two directions begin. */
  forward: 32,
  backward: 56,
} as const;

export const recordDoubles = 80;
