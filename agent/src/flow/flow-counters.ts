/** What a meter has seen and handed over, since it was made. */
export interface FlowCounters {
  readonly packets: number;
  /** On the wire. */
  readonly bytes: number;
  readonly undecodable: number;
  readonly undecodableBy: { readonly truncated: number; readonly malformed: number; readonly unsupportedLink: number };
  readonly notIp: number;
  /** Handed over for good. */
  readonly flows: number;
  readonly reports: number;
  /** Handed over early because the table was full; counted in `flows` too. */
  readonly evicted: number;
  /** Packets of connections that were over. */
  readonly latePackets: number;
  /** Times that packet time went back by more than 10 s, and every flow was handed over. */
  readonly timeSteps: number;
  /** Open now. */
  readonly active: number;
}
