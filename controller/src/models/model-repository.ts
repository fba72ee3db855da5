/** Model bundles in the database: manifests, files, and which is wanted where. */
import type { Selectable } from 'kysely';
import type { GatewayId } from '@picket/shared/contract/identifiers';
import type { Database } from '../database/database.ts';
import { isUniqueViolation, lockTable } from '../database/dialect.ts';
import type { ModelBundlesTable } from '../database/model-tables.ts';

export type ModelRow = Selectable<ModelBundlesTable>;

export class ModelRepository {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Newest first. */
  async list(): Promise<ModelRow[]> {
    return this.#database.reader
      .selectFrom('model_bundles')
      .selectAll()
      .orderBy('uploaded_at', 'desc')
      .orderBy('version')
      .execute();
  }

  async find(version: string): Promise<ModelRow | undefined> {
    return this.#database.reader
      .selectFrom('model_bundles')
      .selectAll()
      .where('version', '=', version)
      .executeTakeFirst();
  }

  /** `taken`: the version or these bytes are there already; `full`: there are `most` of them. */
  async insert(
    row: ModelBundlesTable,
    files: ReadonlyMap<string, Uint8Array>,
    most: number,
  ): Promise<'stored' | 'taken' | 'full'> {
    try {
      return await this.#database.writer.transaction().execute(async (transaction) => {
        await lockTable(transaction, 'model_bundles');
        const count = await transaction
          .selectFrom('model_bundles')
          .select((select) => select.fn.countAll<number>().as('count'))
          .executeTakeFirstOrThrow();
        if (count.count >= most) return 'full';
        await transaction.insertInto('model_bundles').values(row).execute();
        for (const [name, bytes] of files)
          await transaction
            .insertInto('model_bundle_files')
            .values({ manifest_sha256: row.manifest_sha256, name, bytes })
            .execute();
        return 'stored';
      });
    } catch (error) {
      if (isUniqueViolation(error)) return 'taken';
      throw error;
    }
  }

  async file(manifestSha256: string, name: string): Promise<Uint8Array | undefined> {
    const row = await this.#database.reader
      .selectFrom('model_bundle_files')
      .select('bytes')
      .where('manifest_sha256', '=', manifestSha256)
      .where('name', '=', name)
      .executeTakeFirst();
    return row?.bytes;
  }

  /** What this gateway shall serve: its own choice, else the fleet's. */
  async wantedBy(gateway: GatewayId): Promise<{ version: string; manifest_sha256: string } | undefined> {
    const columns = ['model_bundles.version', 'model_bundles.manifest_sha256'] as const;
    const pinned = await this.#database.reader
      .selectFrom('gateway_bundles')
      .innerJoin('model_bundles', 'model_bundles.manifest_sha256', 'gateway_bundles.manifest_sha256')
      .select(columns)
      .where('gateway_bundles.gateway_id', '=', gateway)
      .executeTakeFirst();
    if (pinned !== undefined) return pinned;
    return this.#database.reader
      .selectFrom('model_bundles')
      .select(columns)
      .where('is_active', '=', 1)
      .executeTakeFirst();
  }

  /** Gateways with a choice of their own. */
  async pins(): Promise<{ gateway_id: string; manifest_sha256: string }[]> {
    return this.#database.reader.selectFrom('gateway_bundles').selectAll().orderBy('gateway_id').execute();
  }

  /** False where one of them is not enrolled; then none is changed. */
  async pin(gateways: readonly GatewayId[], manifestSha256: string): Promise<boolean> {
    return this.#database.writer.transaction().execute(async (transaction) => {
      const known = await transaction
        .selectFrom('gateways')
        .select('id')
        .where('id', 'in', [...gateways])
        .where('revoked_at', 'is', null)
        .execute();
      if (known.length < new Set(gateways).size) return false;
      for (const { id } of known)
        await transaction
          .insertInto('gateway_bundles')
          .values({ gateway_id: id, manifest_sha256: manifestSha256 })
          .onConflict((conflict) => conflict.column('gateway_id').doUpdateSet({ manifest_sha256: manifestSha256 }))
          .execute();
      return true;
    });
  }

  /** Those of them that were pinned to this bundle. */
  async unpin(gateways: readonly GatewayId[], manifestSha256: string): Promise<GatewayId[]> {
    const rows = await this.#database.writer
      .deleteFrom('gateway_bundles')
      .where('gateway_id', 'in', [...gateways])
      .where('manifest_sha256', '=', manifestSha256)
      .returning('gateway_id')
      .execute();
    return rows.map((row) => row.gateway_id as GatewayId);
  }

  /** Makes it the fleet's, and remembers which was before. The same again changes nothing. */
  async activate(manifestSha256: string, now: string): Promise<void> {
    await this.#database.writer.transaction().execute(async (transaction) => {
      await lockTable(transaction, 'model_bundles');
      const before = await transaction
        .updateTable('model_bundles')
        .set({ is_active: 0 })
        .where('is_active', '=', 1)
        .where('manifest_sha256', '!=', manifestSha256)
        .returning('manifest_sha256')
        .executeTakeFirst();
      await transaction
        .updateTable('model_bundles')
        .set({ is_active: 1, activated_at: now, replaced: before?.manifest_sha256 ?? null })
        .where('manifest_sha256', '=', manifestSha256)
        .where('is_active', '=', 0)
        .execute();
    });
  }

  /** The one before is the fleet's again, or none. False where this one is not the fleet's. */
  async rollBack(manifestSha256: string, now: string): Promise<boolean> {
    return this.#database.writer.transaction().execute(async (transaction) => {
      await lockTable(transaction, 'model_bundles');
      const ended = await transaction
        .updateTable('model_bundles')
        .set({ is_active: 0 })
        .where('manifest_sha256', '=', manifestSha256)
        .where('is_active', '=', 1)
        .returning('replaced')
        .executeTakeFirst();
      if (ended === undefined) return false;
      if (ended.replaced !== null)
        await transaction
          .updateTable('model_bundles')
          .set({ is_active: 1, activated_at: now })
          .where('manifest_sha256', '=', ended.replaced)
          .execute();
      return true;
    });
  }

  /** False where it is wanted somewhere. */
  async delete(manifestSha256: string): Promise<boolean> {
    return this.#database.writer.transaction().execute(async (transaction) => {
      await lockTable(transaction, 'model_bundles');
      const wanted = await transaction
        .selectFrom('gateway_bundles')
        .select('gateway_id')
        .where('manifest_sha256', '=', manifestSha256)
        .executeTakeFirst();
      if (wanted !== undefined) return false;
      const deleted = await transaction
        .deleteFrom('model_bundles')
        .where('manifest_sha256', '=', manifestSha256)
        .where('is_active', '=', 0)
        .executeTakeFirst();
      if (deleted.numDeletedRows !== 1n) return false;
      await transaction.deleteFrom('model_bundle_files').where('manifest_sha256', '=', manifestSha256).execute();
      await transaction
        .updateTable('model_bundles')
        .set({ replaced: null })
        .where('replaced', '=', manifestSha256)
        .execute();
      return true;
    });
  }
}
