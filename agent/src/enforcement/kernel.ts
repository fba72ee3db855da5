/** PORT. The few things that are ever asked of the kernel: each acts on our own tables, or on connections, and on nothing else. */
import type { FirewallWatch } from './firewall.ts';
import type { NftCommand, TableFamily } from './nft-expression.ts';

/** Elements of one set, as libnftables takes them. */
export interface SetElements {
  readonly set: string;
  readonly values: readonly unknown[];
}

export interface AskedElements {
  readonly present: readonly SetElements[];
  readonly absent: readonly SetElements[];
}

export interface Kernel {
  /** What `nft -j` lists of our table, or of one set in it; undefined where it is not there. Throws `FirewallError`. */
  list(family: TableFamily, signal: AbortSignal, set?: string): Promise<string | undefined>;
  /**
   * The same without the elements of its sets, however many there are. Undefined where it does not hold all that should
   * be `present`, or holds one that should be `absent`. Changes nothing. Throws `FirewallError` where it cannot tell.
   */
  outline(family: TableFamily, signal: AbortSignal, elements?: AskedElements): Promise<string | undefined>;
  /** All of the batch, or nothing of it. Throws `FirewallError`. */
  apply(batch: readonly NftCommand[], signal: AbortSignal): Promise<void>;
  /** Calls back when something of our tables was taken away, whoever did it. */
  watch(onChanged: () => void): FirewallWatch;
  /** Forgets connections: argument lists of `conntrack -D`. That there is none is success; so is a kernel without tracking. */
  forget(connections: readonly (readonly string[])[], signal: AbortSignal): Promise<void>;
}
