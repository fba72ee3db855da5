/** The kernel through `nft` and `conntrack`, run by this process. */
import { FirewallError, type FirewallWatch } from './firewall.ts';
import { KernelWatch } from './kernel-watch.ts';
import type { AskedElements, Kernel, SetElements } from './kernel.ts';
import { inTable, tableName, type NftCommand, type TableFamily } from './nft-expression.ts';
import { runProgram, type ProgramResult } from './system-program.ts';

export interface NftKernelOptions {
  /** How the programs are called; something like `ip netns exec NAME nft` to act in another network namespace. */
  readonly nft?: readonly string[];
  readonly conntrack?: readonly string[];
}

export class NftKernel implements Kernel {
  readonly #nft: readonly string[];
  readonly #conntrack: readonly string[];

  constructor(options: NftKernelOptions = {}) {
    this.#nft = options.nft ?? ['nft'];
    this.#conntrack = options.conntrack ?? ['conntrack'];
  }

  async list(family: TableFamily, signal: AbortSignal, set?: string): Promise<string | undefined> {
    const what = set === undefined ? ['table', family, tableName] : ['set', family, tableName, set];
    const result = await this.#run(['-j', 'list', ...what], undefined, signal);
    if (result.code === 0) return result.stdout;
    if (/No such file or directory/.test(result.stderr)) return undefined;
    throw nftError(result);
  }

  /**
   * One process for all of it. The elements are asked for by a batch that is checked and not made: the kernel refuses to
   * delete what it has not, and to create what it has. Of thousands that costs a fifth of listing them.
   */
  async outline(
    family: TableFamily,
    signal: AbortSignal,
    { present, absent }: AskedElements = { present: [], absent: [] },
  ): Promise<string | undefined> {
    const batch = [
      // of all tables of the family: asked for one by its name, nft 1.0.6 reads every element of it first
      { list: { ruleset: { family } } },
      ...present.map((elements) => ({ delete: elementsOf(family, elements) })),
      ...absent.map((elements) => ({ create: elementsOf(family, elements) })),
    ];
    const result = await this.#run(['--check', '-j', '-t', '-f', '-'], JSON.stringify({ nftables: batch }), signal);
    if (result.code === 0) return result.stdout;
    const errors = result.stderr.split('\n').filter((line) => line.includes('Error:'));
    if (errors.length > 0 && errors.every((line) => /No such file or directory|File exists/.test(line)))
      return undefined;
    throw nftError(result);
  }

  async apply(batch: readonly NftCommand[], signal: AbortSignal): Promise<void> {
    const result = await this.#run(['-j', '-f', '-'], JSON.stringify({ nftables: batch }), signal);
    if (result.code !== 0) throw nftError(result);
  }

  watch(onChanged: () => void): FirewallWatch {
    return KernelWatch.start({ nft: this.#nft, onChanged });
  }

  async forget(connections: readonly (readonly string[])[], signal: AbortSignal): Promise<void> {
    if (connections.length === 0) return;
    const stdin = `${connections.map((args) => args.join(' ')).join('\n')}\n`;
    try {
      await runProgram([...this.#conntrack, '--load-file', '-'], { stdin, signal });
    } catch {
      // not installed, or not permitted: the drop rules hold without it
    }
  }

  async #run(args: readonly string[], stdin: string | undefined, signal: AbortSignal): Promise<ProgramResult> {
    try {
      return await runProgram([...this.#nft, ...args], { ...(stdin === undefined ? {} : { stdin }), signal });
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code === 'EACCES' || code === 'EPERM') {
        throw new FirewallError('not-permitted', 'nft may not be run by this user; until then nothing is blocked');
      }
      if (code !== 'ENOENT') throw error;
      throw new FirewallError('missing', 'nft is not installed: apt install nftables; until then nothing is blocked');
    }
  }
}

function elementsOf(family: TableFamily, { set, values }: SetElements): object {
  return { element: { ...inTable(family), name: set, elem: values } };
}

function nftError({ stderr, code }: ProgramResult): FirewallError {
  const detail = stderr.split('\n').slice(0, 3).join(' ').slice(0, 300);
  return /not permitted|must be root/i.test(stderr)
    ? new FirewallError('not-permitted', 'nft may not be used: run the agent as root or with CAP_NET_ADMIN')
    : new FirewallError('refused', `nft refused the rules (exit ${code ?? 'by signal'}): ${detail}`);
}
