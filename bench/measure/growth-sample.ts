/** What growth-child.ts measured once. */
export interface GrowthSample {
  /** CPU time, in the steady state: every packet belongs to an open flow. */
  readonly nanosecondsPerPacket: number;
  /** CPU time of two packets and the place they take. */
  readonly nanosecondsPerNewFlow: number;
  /** Flows and reports that were handed over while packets were counted; they cost much more than a packet. */
  readonly handedOver: number;
  /** Growth of the resident set while the flows were opened. */
  readonly residentBytesPerFlow: number;
  /** Growth of the buffers that the meter holds; most of them are touched only when they are used. */
  readonly allocatedBytesPerFlow: number;
}
