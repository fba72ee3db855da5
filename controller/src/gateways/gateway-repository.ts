/** Gateways in the database: what is wanted of them, their presence and their health. */
import type { Selectable, SelectQueryBuilder } from 'kysely';
import type { GatewayId } from '@picket/shared/contract/identifiers';
import type { Database } from '../database/database.ts';
import type { GatewaysTable } from '../database/fleet-tables.ts';
import type { Tables } from '../database/tables.ts';

/** A gateway with the books of what it sent. */
export type GatewayRow = Selectable<GatewaysTable> & { readonly lost: number | null; readonly rejected: number | null };

export interface GatewayFilter {
  readonly status?: 'online' | 'offline' | 'revoked' | undefined;
}

export interface PresenceChange {
  readonly online: boolean;
  readonly bootId: string;
  /** By the gateway's clock. */
  readonly at: string;
  readonly agentVersion: string;
  readonly protocol: number;
  /** By ours. */
  readonly now: string;
}

/** Minutes of health that are kept per gateway: one day. */
const keptHealthMinutes = 1440;

export class GatewayRepository {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async list(filter: GatewayFilter, limit: number, offset: number, after: string | undefined): Promise<GatewayRow[]> {
    let query = this.#select().orderBy('gateways.id').limit(limit).offset(offset);
    if (after !== undefined) query = query.where('gateways.id', '>', after);
    if (filter.status === 'revoked') query = query.where('revoked_at', 'is not', null);
    if (filter.status === 'online' || filter.status === 'offline')
      query = query.where('revoked_at', 'is', null).where('online', '=', filter.status === 'online' ? 1 : 0);
    return query.execute();
  }

  async find(id: GatewayId): Promise<GatewayRow | undefined> {
    return this.#select().where('gateways.id', '=', id).executeTakeFirst();
  }

  /** Not revoked. */
  async enrolled(): Promise<Selectable<GatewaysTable>[]> {
    return this.#database.reader
      .selectFrom('gateways')
      .selectAll()
      .where('revoked_at', 'is', null)
      .orderBy('id')
      .execute();
  }

  /** False where there is no such gateway in force, or where it is no longer as at `seenAt`. */
  async update(
    id: GatewayId,
    change: Partial<Pick<GatewaysTable, 'labels' | 'mode' | 'threshold' | 'guard' | 'benign_sample'>>,
    now: string,
    seenAt: string | undefined,
  ): Promise<boolean> {
    let query = this.#database.writer
      .updateTable('gateways')
      .set({ ...change, updated_at: now })
      .where('id', '=', id)
      .where('revoked_at', 'is', null);
    if (seenAt !== undefined) query = query.where('updated_at', '=', seenAt);
    return (await query.executeTakeFirst()).numUpdatedRows === 1n;
  }

  /**
   * True where it changed something. A goodbye counts only for the boot it belongs to, and only when it is not older than
   * the greeting: the last will of a broken connection may arrive after the next one was made.
   */
  async setPresence(id: GatewayId, change: PresenceChange): Promise<boolean> {
    let query = this.#database.writer
      .updateTable('gateways')
      .set({
        online: change.online ? 1 : 0,
        boot_id: change.bootId,
        presence_at: change.at,
        presence_changed_at: change.now,
        agent_version: change.agentVersion,
        protocol: change.protocol,
      })
      .where('id', '=', id)
      .where('revoked_at', 'is', null);
    if (!change.online)
      query = query
        .where('online', '=', 1)
        .where('boot_id', '=', change.bootId)
        .where((where) => where.or([where('presence_at', 'is', null), where('presence_at', '<=', change.at)]));
    return (await query.executeTakeFirst()).numUpdatedRows === 1n;
  }

  /** When the embedded broker starts nobody is connected to it, whatever was so when it stopped. */
  async setAllOffline(now: string): Promise<void> {
    await this.#database.writer
      .updateTable('gateways')
      .set({ online: 0, presence_changed_at: now })
      .where('online', '=', 1)
      .execute();
  }

  async setLinkAddress(id: GatewayId, address: string): Promise<void> {
    await this.#database.writer.updateTable('gateways').set({ link_address: address }).where('id', '=', id).execute();
  }

  async setHealth(id: GatewayId, health: string, now: string): Promise<void> {
    const minute = `${now.slice(0, 16)}:00.000Z`;
    await this.#database.writer.transaction().execute(async (transaction) => {
      await transaction.updateTable('gateways').set({ health, health_at: now }).where('id', '=', id).execute();
      const kept = await transaction
        .insertInto('gateway_health')
        .values({ gateway_id: id, minute, health })
        .onConflict((conflict) => conflict.columns(['gateway_id', 'minute']).doUpdateSet({ health }))
        .returning('minute')
        .executeTakeFirst();
      if (kept === undefined) return;
      const oldest = new Date(Date.parse(minute) - keptHealthMinutes * 60_000).toISOString();
      await transaction
        .deleteFrom('gateway_health')
        .where('gateway_id', '=', id)
        .where('minute', '<=', oldest)
        .execute();
    });
  }

  /** Newest first. */
  async healthHistory(id: GatewayId, limit: number): Promise<{ minute: string; health: string }[]> {
    return this.#database.reader
      .selectFrom('gateway_health')
      .select(['minute', 'health'])
      .where('gateway_id', '=', id)
      .orderBy('minute', 'desc')
      .limit(limit)
      .execute();
  }

  async setReported(id: GatewayId, reported: string, now: string): Promise<void> {
    await this.#database.writer
      .updateTable('gateways')
      .set({ reported, reported_at: now })
      .where('id', '=', id)
      .execute();
  }

  #select(): SelectQueryBuilder<Tables, 'gateways' | 'ingest_totals', GatewayRow> {
    return this.#database.reader
      .selectFrom('gateways')
      .leftJoin('ingest_totals', 'ingest_totals.gateway_id', 'gateways.id')
      .selectAll('gateways')
      .select(['ingest_totals.lost', 'ingest_totals.rejected']);
  }
}
