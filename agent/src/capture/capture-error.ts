/** The ways in which a capture can fail, each with what to do about it. */

/**
 * - `not-a-capture`: the bytes are of some other format
 * - `truncated`: the input ends inside a record
 * - `corrupt`: a length or field contradicts the format
 * - `not-found`: no such file or interface
 * - `not-permitted`: the process may not read the file or capture
 * - `tool-missing`: tcpdump is not installed
 * - `capture-failed`: the capture process keeps ending, or the input cannot be read
 */
export type CaptureErrorCode =
  | 'not-a-capture'
  | 'truncated'
  | 'corrupt'
  | 'not-found'
  | 'not-permitted'
  | 'tool-missing'
  | 'capture-failed';

/** A message for an operator: what happened, where, what to do. */
export class CaptureError extends Error {
  override readonly name = 'CaptureError';
  readonly code: CaptureErrorCode;
  /** Position in the input, in bytes, where it is about one. */
  readonly byteOffset: number | undefined;

  constructor(code: CaptureErrorCode, message: string, byteOffset?: number) {
    super(message);
    this.code = code;
    this.byteOffset = byteOffset;
  }
}
