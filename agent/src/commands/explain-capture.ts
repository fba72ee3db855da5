/** A capture that cannot be read, in the terms of the command line: its own words with an exit code. */
import { CaptureError } from '../capture/capture-error.ts';
import { AgentError } from '../errors.ts';

/** Any other error stays as it is. */
export function explainCapture(error: unknown): unknown {
  if (!(error instanceof CaptureError)) return error;
  const options = { cause: error };
  if (error.code === 'not-found') return new AgentError('no-input', error.message, options);
  if (error.code === 'not-permitted') return new AgentError('no-permission', error.message, options);
  if (error.code === 'capture-failed') return new AgentError('unavailable', error.message, options);
  return new AgentError('bad-data', error.message, options);
}
