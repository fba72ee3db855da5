/**
 * Where each number of a flow stands in its record: 64 words of 8 bytes, so that a record never crosses a page and the
 * words that every packet touches lie in few cache lines. `values` sees the records as doubles, `ints` sees the same
 * memory as 32-bit integers, two to a word, and `bytes` as what it says. All sums are of whole numbers and stay exact, so that means and variances
 * can be taken at the end without drift.
 */

export const recordWords = 64;
/** Integers in a record. */
export const recordInts = recordWords * 2;
export const recordBytes = recordWords * 8;

/** Doubles: offsets in `values` from the beginning of a record. */
export const flowField = {
  // Words 0 and 1 hold the key of an IPv4 conversation, see flowInt.
  startedAtUs: 2,
  lastPacketAtUs: 3,
  iatSquares: 4,
  iatMax: 5,
  iatMin: 6,
  /** Where the two directions begin. */
  forward: 8,
  backward: 24,
  activeStartUs: 43,
  activeSum: 44,
  activeSquares: 45,
  activeMax: 46,
  activeMin: 47,
  idleSum: 48,
  idleSquares: 49,
  idleMax: 50,
  idleMin: 51,
  flowNumber: 52,
} as const;

/** Integers: offsets in `ints` from the beginning of a record. */
export const flowInt = {
  /** Last words of the smaller and of the larger address; see flow-key.ts. */
  keyLow: 0,
  keyHigh: 1,
  keyPorts: 2,
  keyProtocolAndFamily: 3,
  /** Gaps of more than 1 s: with a million flows open there is one before every third packet. */
  gaps: 15,
  /** Only of the forward packets, and in their lines. */
  forwardHeaderMin: 28,
  /** Only of the backward packets, and in their lines; see `firstBackwardWindow` and its like. */
  backwardWindows: 60,
  /** Payload of the flow's first packet. */
  firstPayloadBytes: 85,
  /** Flags, way and window of the flow's first packet in one number; see `firstFlags` and its like. */
  firstPacket: 117,
  /** How often the flow was reported. */
  reports: 106,
  packetsAtReport: 107,
  activeCount: 108,
  idleCount: 109,
  syn: 118,
  rst: 119,
  cwr: 120,
  ece: 121,
  /** The other six words of an IPv6 conversation's key: of the smaller address, then of the larger one. */
  keyRest: 122,
} as const;

/** Single bytes: offsets in `bytes` from the beginning of a record. They stand in the line of the key, which every packet reads. */
export const flowByte = {
  /** See `tcpState` in flow-ending.ts. */
  tcpState: 56,
  /** See `slotState` in flow-table.ts. */
  slotState: 57,
  /** 1 where the smaller end sent the first packet. */
  lowIsSource: 58,
  /** 1 once the flow was reported. */
  isReported: 59,
} as const;

/** Of one direction; offsets in `values` from the beginning of that direction. */
export const directionField = {
  lastAtUs: 1,
  payloadBytes: 2,
  payloadSquares: 3,
  headerBytes: 5,
  /** Inter-arrival times within the direction; their sum is lastAt - firstAt. */
  iatSquares: 7,
  iatMax: 8,
  iatMin: 9,
  bulkStartUs: 10,
  bulkLastUs: 11,
  bulkBytes: 13,
  bulkDurationUs: 14,
  firstAtUs: 32,
} as const;

/** Of one direction; offsets in `ints` from the beginning of that direction. */
export const directionInt = {
  packets: 0,
  /** Packets with payload. */
  dataPackets: 1,
  payloadMax: 8,
  payloadMin: 9,
  psh: 13,
  ack: 24,
  /** Packets and bytes of the run that is no bulk yet. */
  bulkCount: 25,
  bulkSize: 30,
  bulkPackets: 31,
  bulks: 66,
  urg: 67,
  fin: 68,
} as const;

/** The first packet in one integer. `forward` is false where an orientation was kept or turned against it. */
export function packFirstPacket(flags: number, forward: boolean, window: number): number {
  return flags | (forward ? 0x100 : 0) | (window << 9);
}

export function firstFlags(packed: number): number {
  return packed & 0xff;
}

export function firstIsForward(packed: number): boolean {
  return (packed & 0x100) !== 0;
}

export function firstWindow(packed: number): number {
  return packed >> 9;
}

/** The first window of the backward packets that is not 0, or 0. */
export function firstBackwardWindow(packed: number): number {
  return packed >>> 16;
}

export function lastBackwardWindow(packed: number): number {
  return packed & 0xffff;
}
