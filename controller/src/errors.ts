/**
 * What the controller can refuse, a code each. `http/problem-details.ts` alone knows their status numbers. The detail is
 * written for whoever asked: it names what is wrong and what to do, and never carries a secret.
 */
import type { ProblemCode } from '@picket/shared/contract/problem';

/** One refused field: `pointer` is a JSON pointer into the body, or `#/query/name`. */
export interface FieldError {
  readonly pointer: string;
  readonly detail: string;
}

export abstract class ControllerError extends Error {
  abstract readonly code: ProblemCode;
  readonly fields: readonly FieldError[] | undefined;
  /** Seconds to wait, for answers that say when to try again. */
  readonly retryAfter: number | undefined;

  constructor(detail: string, options: ErrorOptions & { fields?: readonly FieldError[]; retryAfter?: number } = {}) {
    super(detail, options);
    this.name = new.target.name;
    this.fields = options.fields;
    this.retryAfter = options.retryAfter;
  }
}

export class BadRequest extends ControllerError {
  override readonly code = 'bad-request';
}
export class Unauthorized extends ControllerError {
  override readonly code = 'unauthorized';
}
export class Forbidden extends ControllerError {
  override readonly code = 'forbidden';
}
export class NotFound extends ControllerError {
  override readonly code = 'not-found';
}
export class Conflict extends ControllerError {
  override readonly code = 'conflict';
}
export class PreconditionFailed extends ControllerError {
  override readonly code = 'precondition-failed';
}
export class PreconditionRequired extends ControllerError {
  override readonly code = 'precondition-required';
}
export class InvalidInput extends ControllerError {
  override readonly code = 'invalid-input';
}
export class PayloadTooLarge extends ControllerError {
  override readonly code = 'payload-too-large';
}
export class MethodNotAllowed extends ControllerError {
  override readonly code = 'method-not-allowed';
}
export class MisdirectedRequest extends ControllerError {
  override readonly code = 'misdirected-request';
}
export class TooManyRequests extends ControllerError {
  override readonly code = 'too-many-requests';
}
export class Unavailable extends ControllerError {
  override readonly code = 'unavailable';
}

/** Exit codes of both programs, after sysexits(3). */
export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 64,
  data: 65,
  unavailable: 69,
  cannotCreate: 73,
  permission: 77,
  config: 78,
} as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Why a program ends before or while it starts: one line for the terminal, and the exit code. */
export class StartFailure extends Error {
  override readonly name = 'StartFailure';
  readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}
