/** Why a model bundle is refused, by a gateway as by the controller. */

export type BundleRefusal =
  | 'missing-file'
  | 'bad-manifest'
  | 'untrusted'
  | 'bad-signature'
  | 'wrong-bundle'
  | 'wrong-schema'
  | 'wrong-shape'
  | 'hash-mismatch'
  | 'oversized'
  | 'unreadable-graph'
  | 'foreign-operator'
  | 'forbidden-content'
  | 'failed-probe';

/** Its message names the file and the reason. */
export class BundleFault extends Error {
  override readonly name = 'BundleFault';
  readonly refusal: BundleRefusal;

  constructor(refusal: BundleRefusal, message: string) {
    super(message);
    this.refusal = refusal;
  }
}
