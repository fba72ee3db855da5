/** The desired documents of each gateway: the policy in force and the log of decisions. */
import type { Selectable } from 'kysely';
import { maxDecisionSeconds } from '@picket/shared/contract/decision';
import type { GatewayId } from '@picket/shared/contract/identifiers';
import type { DecisionChange } from '@picket/shared/contract/twin';
import type { Database } from '../database/database.ts';
import type { DecisionLogTable, GatewaysTable } from '../database/fleet-tables.ts';
import { inChunks } from '../database/upsert.ts';

export interface StoredPolicy {
  readonly version: number;
  readonly hash: string;
  readonly jws: string;
  readonly issuedAt: string;
}

/** Steps that were new, and between which versions of the log they stand. */
export interface Appended {
  readonly fromVersion: number;
  readonly version: number;
  readonly changes: readonly DecisionChange[];
}

export class TwinRepository {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async find(gateway: GatewayId): Promise<Selectable<GatewaysTable> | undefined> {
    return this.#database.reader
      .selectFrom('gateways')
      .selectAll()
      .where('id', '=', gateway)
      .where('revoked_at', 'is', null)
      .executeTakeFirst();
  }

  async gateways(): Promise<readonly { readonly id: GatewayId; readonly online: boolean }[]> {
    const rows = await this.#database.reader
      .selectFrom('gateways')
      .select(['id', 'online'])
      .where('revoked_at', 'is', null)
      .execute();
    return rows.map((row) => ({ id: row.id as GatewayId, online: row.online === 1 }));
  }

  /** False where another controller was quicker. */
  async savePolicy(gateway: GatewayId, policy: StoredPolicy): Promise<boolean> {
    const saved = await this.#database.writer
      .updateTable('gateways')
      .set({
        policy_version: policy.version,
        policy_hash: policy.hash,
        policy_jws: policy.jws,
        policy_issued_at: policy.issuedAt,
      })
      .where('id', '=', gateway)
      .where('policy_version', '=', policy.version - 1)
      .executeTakeFirst();
    return saved.numUpdatedRows === 1n;
  }

  /** Leaves out what the log has already, and forgets steps whose decision has ended. */
  async append(gateway: GatewayId, changes: readonly DecisionChange[], now: Date): Promise<Appended | undefined> {
    return this.#database.writer.transaction().execute(async (transaction) => {
      // Also the lock: on PostgreSQL two controllers append to one gateway one after the other.
      const locked = await transaction
        .updateTable('gateways')
        .set((set) => ({ decisions_version: set('decisions_version', '+', 0) }))
        .where('id', '=', gateway)
        .where('revoked_at', 'is', null)
        .returning('decisions_version')
        .executeTakeFirst();
      if (locked === undefined) return undefined;
      const fromVersion = locked.decisions_version;
      await transaction
        .deleteFrom('decision_log')
        .where('gateway_id', '=', gateway)
        .where('expires_at', '<', now.toISOString())
        .execute();
      const known = new Map<string, string>();
      for (const ids of inChunks([...new Set(changes.map(decisionIdOf))])) {
        const rows = await transaction
          .selectFrom('decision_log')
          .select(['op', 'decision_id', 'expires_at'])
          .where('gateway_id', '=', gateway)
          .where('decision_id', 'in', ids)
          .execute();
        for (const row of rows) known.set(`${row.op} ${row.decision_id}`, row.expires_at);
      }
      const fresh: DecisionChange[] = [];
      for (const change of changes) {
        const key = `${change.op} ${decisionIdOf(change)}`;
        if (known.has(key)) continue;
        known.set(key, change.op === 'add' ? change.decision.expires_at : '');
        fresh.push(change);
      }
      if (fresh.length === 0) return undefined;
      const rows = fresh.map((change, index) => toRow(gateway, change, fromVersion + index + 1, known, now));
      for (const chunk of inChunks(rows))
        await transaction
          .insertInto('decision_log')
          .values([...chunk])
          .execute();
      const version = fromVersion + fresh.length;
      await transaction.updateTable('gateways').set({ decisions_version: version }).where('id', '=', gateway).execute();
      return { fromVersion, version, changes: fresh };
    });
  }

  /** Steps that still matter, oldest first, and where the log stands. */
  async log(
    gateway: GatewayId,
    now: string,
  ): Promise<{ readonly version: number; readonly steps: readonly Selectable<DecisionLogTable>[] }> {
    return this.#database.reader.transaction().execute(async (transaction) => {
      const row = await transaction
        .selectFrom('gateways')
        .select('decisions_version')
        .where('id', '=', gateway)
        .executeTakeFirst();
      const steps = await transaction
        .selectFrom('decision_log')
        .selectAll()
        .where('gateway_id', '=', gateway)
        .where('expires_at', '>', now)
        .where('version', '<=', row?.decisions_version ?? 0)
        .orderBy('version')
        .execute();
      return { version: row?.decisions_version ?? 0, steps };
    });
  }
}

function decisionIdOf(change: DecisionChange): string {
  return change.op === 'add' ? change.decision.id : change.decision_id;
}

/** A deletion matters until its decision would have ended; of the gateway's own ones we may not know when that is. */
function toRow(
  gateway: GatewayId,
  change: DecisionChange,
  version: number,
  known: ReadonlyMap<string, string>,
  now: Date,
): DecisionLogTable {
  const id = decisionIdOf(change);
  const latest = new Date(now.getTime() + maxDecisionSeconds * 1000).toISOString();
  return {
    gateway_id: gateway,
    version,
    op: change.op,
    decision_id: id,
    decision: change.op === 'add' ? JSON.stringify(change.decision) : null,
    expires_at: known.get(`add ${id}`) ?? latest,
    at: now.toISOString(),
  };
}
