/** When alerts are raised, by one clock for all controllers on a database. */
import type { Executor } from '../database/executor.ts';

/**
 * The controller's time, and later than every `raised_at` before, also where its clock was set back. Within a transaction:
 * nobody else is given one until that ends, so that whoever reads the list meets what is raised in the order of the times.
 */
export async function nextRaisedAt(transaction: Executor, now: Date): Promise<string> {
  const { at_ms: atMs } = await transaction
    .updateTable('raised_clock')
    .set((eb) => ({
      at_ms: eb
        .case()
        .when('at_ms', '<', now.getTime())
        .then(now.getTime())
        .else(eb('at_ms', '+', 1))
        .end(),
    }))
    .returning('at_ms')
    .executeTakeFirstOrThrow();
  return new Date(atMs).toISOString();
}
