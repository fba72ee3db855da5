/** The points where published meters disagree about which packets form a flow; each is one branch on the packet path. */

export interface FlowSemantics {
  /** Ethernet padding counts as payload. */
  readonly countPadding: boolean;
  /** The first FIN of either side ends a TCP flow, and an RST does not. */
  readonly endAtFirstFin: boolean;
  /** A flow that was seen from its SYN+ACK on is turned round. */
  readonly turnSynAck: boolean;
  /** The first packet after the 120 s cut counts as forward, whoever sent it. */
  readonly cutPacketIsForward: boolean;
  /**
   * After the 120 s cut of a UDP flow, who speaks first is forward; `if-silent`: only after 120 s of silence. Unless
   * `never`, it is always so for what is neither TCP nor UDP.
   */
  readonly turnUdpAtCut: 'never' | 'if-silent' | 'always';
  /** Flows of one packet are left out. */
  readonly dropSinglePackets: boolean;
  /** A packet that is earlier than the one before it stays so; live, others count it as simultaneous. */
  readonly keepBackwardTime: boolean;
  /** IP protocols that are told apart; all others are one. */
  readonly protocols: ReadonlySet<number>;
}

/**
 * When flows are handed over.
 * - `reference`: as the published programs do it: on a new packet of the same key, or at the end of the input.
 * - `live`: as soon as they are over, cut and swept by packet time, and reported while they live.
 */
export type FlowEndings = 'reference' | 'live';
