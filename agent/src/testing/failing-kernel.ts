/** A kernel of which one call fails, as it does where a program is stopped at its deadline or a disk is gone. */
import type { FirewallWatch } from '../enforcement/firewall.ts';
import type { AskedElements, Kernel } from '../enforcement/kernel.ts';
import type { NftCommand, TableFamily } from '../enforcement/nft-expression.ts';

type Call = 'list' | 'outline' | 'apply';

export class FailingKernel implements Kernel {
  readonly #kernel: Kernel;
  #failing: { readonly call: Call; readonly family: TableFamily | undefined } | undefined;

  /** `kernel`: whatever does not fail goes there; owned by the caller. */
  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** Whether the call that was to fail has failed. */
  get hasFailed(): boolean {
    return this.#failing === undefined;
  }

  /** The next such call, about this table where one is named, throws; the kernel does not hear of it. */
  failNext(call: Call, family?: TableFamily): void {
    this.#failing = { call, family };
  }

  async list(family: TableFamily, signal: AbortSignal, set?: string): Promise<string | undefined> {
    this.#enter('list', family);
    return this.#kernel.list(family, signal, set);
  }

  async outline(family: TableFamily, signal: AbortSignal, elements?: AskedElements): Promise<string | undefined> {
    this.#enter('outline', family);
    return this.#kernel.outline(family, signal, elements);
  }

  async apply(batch: readonly NftCommand[], signal: AbortSignal): Promise<void> {
    this.#enter('apply');
    return this.#kernel.apply(batch, signal);
  }

  watch(onChanged: () => void): FirewallWatch {
    return this.#kernel.watch(onChanged);
  }

  forget(connections: readonly (readonly string[])[], signal: AbortSignal): Promise<void> {
    return this.#kernel.forget(connections, signal);
  }

  #enter(call: Call, family?: TableFamily): void {
    const failing = this.#failing;
    if (failing?.call !== call || (failing.family !== undefined && failing.family !== family)) return;
    this.#failing = undefined;
    throw new Error(`${call} was stopped at its deadline`);
  }
}
