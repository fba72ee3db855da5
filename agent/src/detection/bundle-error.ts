/** Why a model bundle was refused here. The bundle that serves already goes on serving. */
import { BundleFault, type BundleRefusal } from '@picket/shared/policy/bundle-fault';
import { AgentError } from '../errors.ts';

export class BundleError extends AgentError {
  readonly refusal: BundleRefusal;
  /** What is wrong, without saying that the bundle was refused for it. */
  readonly what: string;

  constructor(refusal: BundleRefusal, what: string, options?: ErrorOptions) {
    super(refusal === 'missing-file' ? 'no-input' : 'bad-data', `model bundle refused: ${what}`, options);
    this.refusal = refusal;
    this.what = what;
  }
}

/** What a check of `shared` throws, as the agent's own kind of error. */
export function refusedBy<T>(check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (error instanceof BundleFault) throw new BundleError(error.refusal, error.message, { cause: error });
    throw error;
  }
}
