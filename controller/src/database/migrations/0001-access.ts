/** People, sessions, live tickets and the audit log. */
import { sql, type Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import { countType, dialectOf } from '../dialect.ts';

export const access: Migration = {
  async up(database: Kysely<unknown>) {
    await database.schema
      .createTable('users')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('username', 'text', (column) => column.notNull().unique())
      .addColumn('email', 'text', (column) => column.unique())
      .addColumn('password_hash', 'text', (column) => column.notNull())
      .addColumn('role', 'text', (column) => column.notNull().check(sql`role in ('viewer', 'operator', 'admin')`))
      .addColumn('is_active', 'integer', (column) => column.notNull().check(sql`is_active in (0, 1)`))
      .addColumn('last_login', 'text')
      .addColumn('failed_logins', 'integer', (column) => column.notNull().defaultTo(0))
      .addColumn('locked_until', 'text')
      .addColumn('created_at', 'text', (column) => column.notNull())
      .addColumn('updated_at', 'text', (column) => column.notNull())
      .execute();
    await database.schema
      .createTable('sessions')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('user_id', 'text', (column) => column.notNull().references('users.id').onDelete('cascade'))
      .addColumn('address', 'text', (column) => column.notNull())
      .addColumn('user_agent', 'text', (column) => column.notNull())
      .addColumn('created_at', 'text', (column) => column.notNull())
      .addColumn('expires_at', 'text', (column) => column.notNull())
      .addColumn('ended_at', 'text')
      .addColumn('ended_reason', 'text')
      .execute();
    await database.schema.createIndex('sessions_user').on('sessions').column('user_id').execute();
    await database.schema.createIndex('sessions_expiry').on('sessions').column('expires_at').execute();
    await database.schema
      .createTable('refresh_tokens')
      .addColumn('hash', 'text', (column) => column.primaryKey())
      .addColumn('session_id', 'text', (column) => column.notNull().references('sessions.id').onDelete('cascade'))
      .addColumn('created_at', 'text', (column) => column.notNull())
      .addColumn('expires_at', 'text', (column) => column.notNull())
      .addColumn('rotated_at', 'text')
      .execute();
    await database.schema.createIndex('refresh_tokens_session').on('refresh_tokens').column('session_id').execute();
    await database.schema
      .createTable('revoked_tokens')
      .addColumn('jti', 'text', (column) => column.primaryKey())
      .addColumn('expires_at', 'text', (column) => column.notNull())
      .execute();
    await database.schema
      .createTable('live_tickets')
      .addColumn('hash', 'text', (column) => column.primaryKey())
      .addColumn('user_id', 'text', (column) => column.notNull().references('users.id').onDelete('cascade'))
      .addColumn('session_id', 'text', (column) => column.notNull().references('sessions.id').onDelete('cascade'))
      .addColumn('expires_at', 'text', (column) => column.notNull())
      .execute();
    await database.schema
      .createTable('audit_log')
      .addColumn('sequence', countType(database), (column) => column.primaryKey())
      .addColumn('at', 'text', (column) => column.notNull())
      .addColumn('who', 'text', (column) => column.notNull())
      .addColumn('what', 'text', (column) => column.notNull())
      .addColumn('on_what', 'text', (column) => column.notNull())
      .addColumn('before', 'text')
      .addColumn('after', 'text')
      .addColumn('address', 'text')
      .addColumn('previous_hash', 'text', (column) => column.notNull())
      .addColumn('hash', 'text', (column) => column.notNull())
      .execute();
    await appendOnly(database, 'audit_log');
  },
};

/** Refuses updates and deletes in the engine itself, so that no code path of ours can rewrite history. */
async function appendOnly(database: Kysely<unknown>, table: string): Promise<void> {
  if (dialectOf(database) === 'sqlite') {
    for (const event of ['update', 'delete'] as const) {
      await sql`create trigger ${sql.id(`${table}_no_${event}`)} before ${sql.raw(event)} on ${sql.id(table)}
        begin select raise(abort, 'the audit log is append-only'); end`.execute(database);
    }
    return;
  }
  await sql`create function ${sql.id(`${table}_append_only`)}() returns trigger language plpgsql
    as $$ begin raise exception 'the audit log is append-only'; end $$`.execute(database);
  await sql`create trigger ${sql.id(`${table}_append_only`)} before update or delete or truncate on ${sql.id(table)}
    for each statement execute function ${sql.id(`${table}_append_only`)}()`.execute(database);
}
