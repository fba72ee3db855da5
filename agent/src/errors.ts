/** The few failures an operator can act on: what happened, what to do, and the exit code (sysexits.h). */

export const exitCodes = {
  usage: 64,
  'bad-data': 65,
  'no-input': 66,
  unavailable: 69,
  'cannot-create': 73,
  'temporary-failure': 75,
  'no-permission': 77,
  'bad-config': 78,
} as const;
export type AgentErrorCode = keyof typeof exitCodes;

export class AgentError extends Error {
  override readonly name = 'AgentError';
  readonly code: AgentErrorCode;

  /** `message` says what happened and what to do next, in one line. */
  constructor(code: AgentErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** For people: one line for what we expected, the whole stack for what we did not. */
export function explainError(error: unknown): string {
  if (error instanceof AgentError) return `picket-agent: ${error.message}`;
  return `picket-agent: unexpected: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
}

/** 70 (EX_SOFTWARE) for what nobody expected. */
export function exitCodeOf(error: unknown): number {
  return error instanceof AgentError ? exitCodes[error.code] : 70;
}
