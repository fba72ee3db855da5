/** Our tables as they stand in the kernel, for who must do without an agent. */
import type { Kernel } from './kernel.ts';
import { dropTable } from './nft-batch.ts';
import { tableName, type TableFamily } from './nft-expression.ts';
import { NftKernel } from './nft-kernel.ts';
import { readTable } from './nft-reading.ts';

const families: readonly TableFamily[] = ['inet', 'bridge'];
const deadlineMs = 10_000;

export interface OwnTables {
  /** As `inet picket`. */
  readonly tables: readonly string[];
  readonly decisionIds: ReadonlySet<string>;
}

/** Throws `FirewallError` where nft is not there or may not be used. */
export async function listOwnTables(kernel: Kernel = new NftKernel()): Promise<OwnTables> {
  const tables: string[] = [];
  const decisionIds = new Set<string>();
  for (const family of families) {
    const listing = await kernel.list(family, AbortSignal.timeout(deadlineMs));
    if (listing === undefined) continue;
    tables.push(`${family} ${tableName}`);
    for (const { decisionId } of readTable(listing).elements.values()) {
      if (decisionId !== undefined) decisionIds.add(decisionId);
    }
  }
  return { tables, decisionIds };
}

/** Those that were there. Throws as `listOwnTables` does. */
export async function dropOwnTables(kernel: Kernel = new NftKernel()): Promise<readonly string[]> {
  const dropped: string[] = [];
  for (const family of families) {
    if ((await kernel.list(family, AbortSignal.timeout(deadlineMs))) === undefined) continue;
    await kernel.apply(dropTable(family), AbortSignal.timeout(deadlineMs));
    dropped.push(`${family} ${tableName}`);
  }
  return dropped;
}
