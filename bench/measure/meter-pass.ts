/** What meter-child.ts says of one pass over a capture. */
export interface MeterPass {
  /** User and system time of all the process's threads. */
  readonly cpuSeconds: number;
  readonly packets: number;
  readonly flows: number;
  readonly reports: number;
  readonly csvBytes: number;
}
