/** What meter-child.ts says of one pass over a capture. */
export interface MeterPass {
  /** User and system time of all the process's threads. */
  readonly cpuSeconds: number;
  readonly wallSeconds: number;
  readonly packets: number;
  readonly flows: number;
  readonly reports: number;
  readonly csvBytes: number;
}

/** What two-threads-child.ts says of one pass. */
export interface TwoThreadPass {
  readonly cpuSeconds: number;
  readonly wallSeconds: number;
  readonly packets: number;
  /** CPU time of the thread that has more to do: the wall time on a machine that has nothing else to do. */
  readonly busiestSeconds: number;
}
