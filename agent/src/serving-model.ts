/**
 * The network that serves, and how another takes its place while traffic flows: the new one is opened beside the old one,
 * the pipeline changes over between two batches, and only then the old one is closed.
 */
import type { BundleReference } from '@picket/shared/contract/model-manifest';
import type { Logger } from 'pino';
import { BundleError } from './detection/bundle-error.ts';
import type { BundleTrust } from './detection/bundle-trust.ts';
import type { Detector } from './detection/detector.ts';
import { openModelBundle } from './detection/model-bundle.ts';
import { probeBundle } from './detection/probe-bundle.ts';
import { shippedBundleFolder } from './detection/shipped-bundle.ts';
import { AgentError } from './errors.ts';
import { collectGarbage } from './memory-plan.ts';
import type { Pipeline } from './pipeline.ts';
import { WorkerDetector } from './worker-detector.ts';

export interface ServingModelOptions {
  /** Folder of the gateway's own bundle; null: the shipped one. */
  readonly ownBundle: string | null;
  /** The gateway's own threshold; null: the bundle's. */
  readonly ownThreshold: number | null;
  readonly trust: BundleTrust;
  readonly log: Pick<Logger, 'info' | 'warn'>;
}

export class ServingModel implements AsyncDisposable {
  readonly #options: ServingModelOptions;
  #detector: WorkerDetector;
  #pipeline: Pick<Pipeline, 'useDetector' | 'useThreshold'> | undefined;
  #policyThreshold: number | null = null;
  #swaps = 0;

  private constructor(options: ServingModelOptions, detector: WorkerDetector) {
    this.#options = options;
    this.#detector = detector;
  }

  /** Opens the gateway's own bundle; one that this agent did not ship is tried first. Throws an AgentError. */
  static async open(options: ServingModelOptions): Promise<ServingModel> {
    return new ServingModel(options, await openOwn(options));
  }

  get detector(): Detector {
    return this.#detector;
  }

  /** The bundle in force. */
  get reference(): BundleReference {
    return this.#detector.reference;
  }

  /** Bundles that took the place of another since the start. */
  get swaps(): number {
    return this.#swaps;
  }

  /** Policy > the gateway's own setting > the bundle's calibrated one. */
  get threshold(): number {
    return this.#thresholdFor(this.#detector);
  }

  /** Whose detector is changed; before that, only `open` has a say. */
  attach(pipeline: Pick<Pipeline, 'useDetector' | 'useThreshold'>): void {
    this.#pipeline = pipeline;
  }

  /** Null: back to the gateway's own setting, or the bundle's. */
  usePolicyThreshold(threshold: number | null): void {
    this.#policyThreshold = threshold;
    this.#pipeline?.useThreshold(this.threshold);
  }

  /**
   * Serve this bundle, which has been verified and tried. Resolves when no window is judged by the one before any more.
   * Rejects with the reason where it cannot be opened; then nothing has changed.
   */
  async serve(folder: string, expected: BundleReference, trust: BundleTrust): Promise<void> {
    await this.#changeTo(await WorkerDetector.open(folder, trust, expected));
  }

  /** Back to the gateway's own bundle. */
  async serveOwn(): Promise<void> {
    await this.#changeTo(await openOwn(this.#options));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#detector[Symbol.asyncDispose]();
  }

  async #changeTo(next: WorkerDetector): Promise<void> {
    const before = this.#detector;
    try {
      await this.#pipeline?.useDetector(next, this.#thresholdFor(next));
    } catch (error) {
      await next[Symbol.asyncDispose]();
      throw error;
    }
    this.#detector = next;
    this.#swaps += 1;
    await before[Symbol.asyncDispose]();
    collectGarbage(); // two networks and a thread's beginnings: what is left of them would weigh on the bound for long
    this.#options.log.info({ before: before.reference.version, now: next.reference.version }, 'the model was changed');
  }

  #thresholdFor({ manifest }: Detector): number {
    return this.#policyThreshold ?? this.#options.ownThreshold ?? manifest.threshold;
  }
}

async function openOwn({ ownBundle, trust }: ServingModelOptions): Promise<WorkerDetector> {
  const folder = ownBundle ?? shippedBundleFolder;
  try {
    const { vouchedBy } = await openModelBundle(folder, trust);
    if (vouchedBy !== 'shipped') await probeBundle({ folder, trust });
    return await WorkerDetector.open(folder, trust);
  } catch (error) {
    const [code, what] =
      error instanceof BundleError ? [error.code, error.what] : ['bad-data' as const, (error as Error).message];
    const next =
      ownBundle === null
        ? 'it came with this agent: install it again'
        : 'name the folder of a bundle (--bundle, model.bundle), or none for the one that came with this agent';
    throw new AgentError(code, `the model bundle ${folder} was refused: ${what}; ${next}`, { cause: error });
  }
}
