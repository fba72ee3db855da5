/** Why a model bundle was refused. The bundle that serves already goes on serving. */
import { AgentError } from '../errors.ts';

export type BundleRefusal =
  | 'missing-file'
  | 'bad-manifest'
  | 'untrusted'
  | 'wrong-schema'
  | 'wrong-shape'
  | 'hash-mismatch'
  | 'oversized'
  | 'unreadable-graph'
  | 'foreign-operator'
  | 'forbidden-content';

export class BundleError extends AgentError {
  readonly refusal: BundleRefusal;

  constructor(refusal: BundleRefusal, what: string) {
    super(refusal === 'missing-file' ? 'no-input' : 'bad-data', `model bundle refused: ${what}`);
    this.refusal = refusal;
  }
}
