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

/**
 * Those that were there. One that cannot be dropped keeps none of the others: then this throws as `listOwnTables` does.
 * `signal`: default is 10 s for each.
 */
export async function dropOwnTables(
  kernel: Kernel = new NftKernel(),
  signal?: AbortSignal,
): Promise<readonly string[]> {
  const dropped: string[] = [];
  const failures: unknown[] = [];
  for (const family of families) {
    const end = signal ?? AbortSignal.timeout(deadlineMs);
    try {
      if ((await kernel.list(family, end)) === undefined) continue;
      await kernel.apply(dropTable(family), end);
      dropped.push(`${family} ${tableName}`);
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
  return dropped;
}
