/** Sessions, their refresh tokens and live tickets in the database. Secrets are stored as hashes only. */
import type { Selectable } from 'kysely';
import type { Role } from '@picket/shared/contract/access';
import type { LiveTicketRow, SessionRow } from '../database/access-tables.ts';
import type { Database } from '../database/database.ts';

export type StoredSession = Selectable<SessionRow>;

/** The person behind a session that is open now. */
export interface SessionHolder {
  readonly userId: string;
  readonly username: string;
  readonly role: Role;
}

export type Rotation =
  | { readonly outcome: 'rotated'; readonly sessionId: string; readonly userId: string }
  | { readonly outcome: 'reused'; readonly sessionId: string; readonly userId: string }
  | { readonly outcome: 'refused' };

export class SessionRepository {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Opens a session with its first refresh token, and clears away what is over. */
  async open(session: StoredSession, refreshHash: string): Promise<void> {
    await this.#database.writer.transaction().execute(async (transaction) => {
      const { created_at, expires_at, id } = session;
      await transaction.deleteFrom('sessions').where('expires_at', '<', created_at).execute();
      await transaction.deleteFrom('revoked_tokens').where('expires_at', '<', created_at).execute();
      await transaction.deleteFrom('live_tickets').where('expires_at', '<', created_at).execute();
      await transaction.insertInto('sessions').values(session).execute();
      await transaction
        .insertInto('refresh_tokens')
        .values({ hash: refreshHash, session_id: id, created_at, expires_at, rotated_at: null })
        .execute();
    });
  }

  /** Exchanges one refresh token for the next; a token that was exchanged before ends its whole session. */
  async rotate(hash: string, nextHash: string, now: string, nextExpiry: string): Promise<Rotation> {
    return this.#database.writer.transaction().execute(async (transaction): Promise<Rotation> => {
      const token = await transaction
        .selectFrom('refresh_tokens')
        .innerJoin('sessions', 'sessions.id', 'refresh_tokens.session_id')
        .innerJoin('users', 'users.id', 'sessions.user_id')
        .select(['sessions.id as sessionId', 'sessions.user_id as userId', 'refresh_tokens.expires_at as expiresAt'])
        .select(['sessions.ended_at as endedAt', 'users.is_active as isActive'])
        .where('refresh_tokens.hash', '=', hash)
        .executeTakeFirst();
      if (token === undefined || token.endedAt !== null || token.isActive === 0) return { outcome: 'refused' };
      const { sessionId, userId } = token;
      const rotated = await transaction
        .updateTable('refresh_tokens')
        .set({ rotated_at: now })
        .where('hash', '=', hash)
        .where('rotated_at', 'is', null)
        .executeTakeFirstOrThrow();
      if (rotated.numUpdatedRows === 0n) {
        await transaction
          .updateTable('sessions')
          .set({ ended_at: now, ended_reason: 'refresh token used twice' })
          .where('id', '=', sessionId)
          .execute();
        return { outcome: 'reused', sessionId, userId };
      }
      if (token.expiresAt <= now) return { outcome: 'refused' };
      await transaction
        .insertInto('refresh_tokens')
        .values({ hash: nextHash, session_id: sessionId, created_at: now, expires_at: nextExpiry, rotated_at: null })
        .execute();
      await transaction.updateTable('sessions').set({ expires_at: nextExpiry }).where('id', '=', sessionId).execute();
      return { outcome: 'rotated', sessionId, userId };
    });
  }

  /** Undefined where the session is over, the person closed, or the token (if given) revoked. */
  async holder(sessionId: string, tokenId: string | undefined, now: string): Promise<SessionHolder | undefined> {
    const holder = await this.#database.reader
      .selectFrom('sessions')
      .innerJoin('users', 'users.id', 'sessions.user_id')
      .select(['users.id as userId', 'users.username', 'users.role'])
      .where('sessions.id', '=', sessionId)
      .where('sessions.ended_at', 'is', null)
      .where('sessions.expires_at', '>', now)
      .where('users.is_active', '=', 1)
      .$if(tokenId !== undefined, (query) =>
        query.where((eb) =>
          eb.not(
            eb.exists(
              eb
                .selectFrom('revoked_tokens')
                .select('jti')
                .where('jti', '=', tokenId ?? ''),
            ),
          ),
        ),
      )
      .executeTakeFirst();
    return holder;
  }

  async end(sessionId: string, reason: string, now: string): Promise<void> {
    await this.#database.writer
      .updateTable('sessions')
      .set({ ended_at: now, ended_reason: reason })
      .where('id', '=', sessionId)
      .where('ended_at', 'is', null)
      .execute();
  }

  /** Ends every session of a person, save one; the ids of those that were open. */
  async endAll(userId: string, except: string | undefined, reason: string, now: string): Promise<string[]> {
    const ended = await this.#database.writer
      .updateTable('sessions')
      .set({ ended_at: now, ended_reason: reason })
      .where('user_id', '=', userId)
      .where('ended_at', 'is', null)
      .$if(except !== undefined, (query) => query.where('id', '!=', except ?? ''))
      .returning('id')
      .execute();
    return ended.map(({ id }) => id);
  }

  async revokeToken(jti: string, expiresAt: string): Promise<void> {
    await this.#database.writer
      .insertInto('revoked_tokens')
      .values({ jti, expires_at: expiresAt })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }

  async insertTicket(ticket: LiveTicketRow): Promise<void> {
    await this.#database.writer.insertInto('live_tickets').values(ticket).execute();
  }

  /** Takes the ticket out, so that it works once; undefined where there is none. */
  takeTicket(hash: string): Promise<LiveTicketRow | undefined> {
    return this.#database.writer.deleteFrom('live_tickets').where('hash', '=', hash).returningAll().executeTakeFirst();
  }
}
