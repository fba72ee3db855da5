/**
 * From the bundle that the policy names to the bundle that serves: fetched, verified, tried, and put in place, one rung
 * after the other. A refused one is not tried again; one that cannot be fetched is, until something else is wanted. The
 * active one serves throughout.
 */
import type { BundleReference } from '@picket/shared/contract/model-manifest';
import type { BundleReported, ReportedStep } from '@picket/shared/contract/twin';
import type { Logger } from 'pino';
import { BundleError } from '../detection/bundle-error.ts';
import type { BundleStore } from '../detection/bundle-store.ts';
import type { BundleTrust } from '../detection/bundle-trust.ts';
import { fetchBundle } from '../detection/fetch-bundle.ts';
import { probeBundle } from '../detection/probe-bundle.ts';

export interface BundleFollowerOptions {
  readonly store: BundleStore;
  /** Asked at each use: the controller's key may be learned late. */
  readonly trust: () => Promise<BundleTrust>;
  readonly serving: {
    readonly reference: BundleReference;
    serve(folder: string, expected: BundleReference, trust: BundleTrust): Promise<void>;
    serveOwn(): Promise<void>;
  };
  /** GET of one file of a bundle by the hash of its manifest. */
  readonly fetchFile: (
    bundle: BundleReference,
    name: string,
    maxBytes: number,
    signal: AbortSignal,
  ) => Promise<Uint8Array>;
  readonly onChanged: () => void;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
  /** First wait after a bundle that could not be fetched; doubled up to five minutes. */
  readonly retryMs?: number;
}

const longestRetryMs = 300_000;

export class BundleFollower implements AsyncDisposable {
  readonly #options: BundleFollowerOptions;
  #desired: BundleReference | null = null;
  #step: ReportedStep = 'verified';
  #detail: string | null = null;
  #isOwn = true;
  #refused = 0;
  #stop = new AbortController();
  #wake: (() => void) | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(options: BundleFollowerOptions) {
    this.#options = options;
  }

  get reported(): BundleReported {
    return {
      active: this.#options.serving.reference,
      desired: this.#desired,
      step: this.#step,
      detail: this.#detail,
    };
  }

  /** Bundles that were refused since the start. */
  get refused(): number {
    return this.#refused;
  }

  /** Undefined: the gateway's own. Returns at once; `reported` tells how far it is. The same again changes nothing. */
  want(bundle: BundleReference | undefined): void {
    const desired = bundle ?? null;
    if (desired?.manifest_sha256 === this.#desired?.manifest_sha256) return;
    this.#stop.abort();
    const stop = new AbortController();
    this.#stop = stop;
    this.#desired = desired;
    this.#climb('received', null);
    this.#running = this.#running.then(() => this.#follow(desired, stop.signal));
  }

  /** The controller can be reached (again): what waits for it need not wait longer. */
  onConnected(): void {
    this.#wake?.();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #follow(desired: BundleReference | null, signal: AbortSignal): Promise<void> {
    let wait = this.#options.retryMs ?? 1000;
    while (!signal.aborted) {
      try {
        await (desired === null ? this.#returnToOwn() : this.#bring(desired, signal));
        if (signal.aborted) return;
        this.#climb('verified', null);
        return;
      } catch (error) {
        if (signal.aborted) return;
        const reason = (error as Error).message;
        if (error instanceof BundleError) return this.#refuse(desired, reason);
        this.#climb('failed', `${reason}; trying again`);
        this.#options.log.warn({ bundle: desired?.version, reason }, 'cannot change the model now; trying again');
      }
      await this.#pause(wait * (0.75 + Math.random() / 2), signal);
      wait = Math.min(longestRetryMs, wait * 2);
    }
  }

  async #bring(desired: BundleReference, signal: AbortSignal): Promise<void> {
    const { store, serving, fetchFile } = this.#options;
    if (serving.reference.manifest_sha256 === desired.manifest_sha256) return;
    const trust = await this.#options.trust();
    if (!store.has(desired)) {
      const files = await fetchBundle(desired, trust, (name, maxBytes) => fetchFile(desired, name, maxBytes, signal));
      store.save(desired, files);
    }
    const folder = store.folderOf(desired);
    const { peakRssBytes, tookMs } = await probeBundle({ folder, trust, expected: desired }, undefined, signal);
    if (signal.aborted) return;
    this.#options.log.info(
      { bundle: desired.version, peak_rss_bytes: peakRssBytes, took_ms: Math.round(tookMs) },
      'a model bundle was tried and is sound',
    );
    this.#climb('validated', null);
    await serving.serve(folder, desired, trust);
    this.#isOwn = false;
    store.keepOnly([desired]);
  }

  async #returnToOwn(): Promise<void> {
    if (this.#isOwn) return;
    await this.#options.serving.serveOwn();
    this.#isOwn = true;
    this.#options.store.keepOnly([]);
  }

  #refuse(desired: BundleReference | null, reason: string): void {
    this.#refused += 1;
    if (desired !== null && desired.manifest_sha256 !== this.#options.serving.reference.manifest_sha256)
      this.#options.store.remove(desired);
    this.#climb('refused', reason);
    this.#options.log.error(
      { bundle: desired?.version, reason, serving: this.#options.serving.reference.version },
      'a model bundle was refused; the one before serves on',
    );
  }

  #climb(step: ReportedStep, detail: string | null): void {
    this.#step = step;
    this.#detail = detail?.slice(0, 500) ?? null;
    this.#options.onChanged();
  }

  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    this.#wake = resolve;
    signal.addEventListener('abort', () => resolve(), { once: true });
    await promise;
    clearTimeout(timer);
    this.#wake = undefined;
  }
}
