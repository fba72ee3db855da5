/**
 * Where each number of a flow stands in its record: 80 doubles side by side. All sums are of whole numbers and stay
 * exact, so that means and variances can be taken at the end without drift.
 */

/** Offsets of one direction's part, from the beginning of that part: what every packet touches comes first. */
export const directionField = {
  packets: 0,
  lastAtUs: 1,
  payloadBytes: 2,
  payloadSquares: 3,
  payloadMax: 4,
  payloadMin: 5,
  headerBytes: 6,
  headerMin: 7,
  /** Inter-arrival times within the direction; their sum is lastAt - firstAt. */
  iatSquares: 8,
  iatMax: 9,
  iatMin: 10,
  bulkStartUs: 11,
  bulkLastUs: 12,
  /** Packets with payload. */
  dataPackets: 13,
  psh: 14,
  bulkCount: 15,
  bulkSize: 16,
  bulks: 17,
  bulkPackets: 18,
  bulkBytes: 19,
  bulkDurationUs: 20,
  firstAtUs: 21,
  urg: 22,
  fin: 23,
} as const;

/** Offsets from the beginning of a record. */
export const flowField = {
  startedAtUs: 0,
  lastPacketAtUs: 1,
  iatSquares: 2,
  iatMax: 3,
  iatMin: 4,
  ack: 5,
  /** See `tcpState` in flow-ending.ts. */
  tcpState: 6,
  /** How often the flow was reported. */
  reports: 7,
  /** Where the two directions begin. */
  forward: 8,
  backward: 32,
  lastBackwardWindow: 56,
  /** First that is not 0. */
  firstBackwardWindow: 57,
  /** Gaps of more than 1 s. */
  gaps: 58,
  activeStartUs: 59,
  activeCount: 60,
  activeSum: 61,
  activeSquares: 62,
  activeMax: 63,
  activeMin: 64,
  idleCount: 65,
  idleSum: 66,
  idleSquares: 67,
  idleMax: 68,
  idleMin: 69,
  syn: 70,
  rst: 71,
  cwr: 72,
  ece: 73,
  /** Of the flow's first packet. */
  firstPayloadBytes: 74,
  firstFlags: 75,
  firstWindow: 76,
  /** 1 when the first packet went forward; 0 after an orientation was kept or turned. */
  firstIsForward: 77,
  flowNumber: 78,
  packetsAtReport: 79,
} as const;

export const recordDoubles = 80;
