/** Sessions: log-in, short access tokens, rotating refresh tokens, tickets for live sockets, log-out. */
import { createHash, randomBytes } from 'node:crypto';
import type { Credentials, TokenPair, User } from '@picket/shared/contract/access';
import { newId, type UserId } from '@picket/shared/contract/identifiers';
import type { AuditService } from '../audit/audit-service.ts';
import { InvalidInput, Unauthorized } from '../errors.ts';
import type { Principal } from '../principal.ts';
import type { AccessTokens } from './access-tokens.ts';
import type { SessionRepository } from './session-repository.ts';
import type { UserService } from './user-service.ts';

const ticketSeconds = 30;
const day = 86_400_000;

/** Where a session was opened from. */
export interface Client {
  readonly address: string;
  readonly userAgent: string;
}

export interface LiveTicket {
  readonly ticket: string;
  /** Seconds. */
  readonly expires_in: number;
}

export class SessionService {
  readonly #sessions: SessionRepository;
  readonly #users: UserService;
  readonly #tokens: AccessTokens;
  readonly #audit: AuditService;
  readonly #refreshMs: number;
  readonly #now: () => Date;
  readonly #endListeners = new Set<(sessionId: string) => void>();

  constructor(parts: {
    sessions: SessionRepository;
    users: UserService;
    tokens: AccessTokens;
    audit: AuditService;
    refreshDays: number;
    now?: () => Date;
  }) {
    this.#sessions = parts.sessions;
    this.#users = parts.users;
    this.#tokens = parts.tokens;
    this.#audit = parts.audit;
    this.#refreshMs = parts.refreshDays * day;
    this.#now = parts.now ?? (() => new Date());
  }

  /** Seconds that a refresh token lasts. */
  get refreshSeconds(): number {
    return this.#refreshMs / 1000;
  }

  /** Called with the id of every session that this process ends. Returns how to stop listening. */
  onEnd(listener: (sessionId: string) => void): () => void {
    this.#endListeners.add(listener);
    return () => this.#endListeners.delete(listener);
  }

  /** Throws `Unauthorized`, always with the same words. */
  async logIn(credentials: Credentials, client: Client): Promise<TokenPair> {
    const [column, name] =
      credentials.email === undefined
        ? (['username', credentials.username ?? ''] as const)
        : (['email', credentials.email] as const);
    const user = await this.#users.logIn(column, name, credentials.password, client.address);
    if (user === undefined) {
      throw new Unauthorized(
        'Incorrect email or password. After several failures in a row an account rests for a while',
      );
    }
    const now = this.#now();
    const refreshToken = newSecret();
    const session = {
      id: newId(),
      user_id: user.id,
      address: client.address,
      user_agent: client.userAgent.slice(0, 200),
      created_at: now.toISOString(),
      expires_at: new Date(now.getTime() + this.#refreshMs).toISOString(),
      ended_at: null,
      ended_reason: null,
    };
    await this.#sessions.open(session, hashOf(refreshToken));
    return this.#pair(user, session.id, refreshToken);
  }

  /** A new pair for a refresh token that was not used before. Using one twice ends the session it belongs to. */
  async refresh(refreshToken: string, client: Client): Promise<TokenPair> {
    const now = this.#now();
    const next = newSecret();
    const expiry = new Date(now.getTime() + this.#refreshMs).toISOString();
    const rotation = await this.#sessions.rotate(hashOf(refreshToken), hashOf(next), now.toISOString(), expiry);
    if (rotation.outcome === 'reused') {
      this.#tellEnd(rotation.sessionId);
      const user = await this.#users.get(rotation.userId);
      await this.#audit.record({
        actor: { username: user.username, address: client.address },
        what: 'session.refresh-reuse',
        onWhat: `session ${rotation.sessionId}`,
      });
    }
    if (rotation.outcome !== 'rotated') throw new Unauthorized('the refresh token is not valid or is over; log in');
    return this.#pair(await this.#users.get(rotation.userId), rotation.sessionId, next);
  }

  /** Ends the session and refuses its access token from now on. */
  async logOut(principal: Principal, address: string): Promise<void> {
    const now = this.#now().toISOString();
    await this.#sessions.revokeToken(principal.tokenId, new Date(principal.expiresAt).toISOString());
    await this.#sessions.end(principal.sessionId, 'log-out', now);
    this.#tellEnd(principal.sessionId);
    const actor = { username: principal.username, address };
    await this.#audit.record({ actor, what: 'session.logout', onWhat: `session ${principal.sessionId}` });
  }

  /** Ends every other session of the person. Throws `InvalidInput` where the old password is wrong or the new one weak. */
  async changePassword(principal: Principal, oldPassword: string, newPassword: string, address: string): Promise<void> {
    if (!(await this.#users.passwordIs(principal.userId, oldPassword))) {
      throw new InvalidInput('old_password: is not your password', {
        fields: [{ pointer: '/old_password', detail: 'is not your password' }],
      });
    }
    const actor = { username: principal.username, address };
    await this.#users.setPassword(await this.#users.get(principal.userId), newPassword, actor);
    await this.endAll(principal.userId, principal.sessionId, 'password changed');
  }

  async endAll(userId: string, except: string | undefined, reason: string): Promise<void> {
    const ended = await this.#sessions.endAll(userId, except, reason, this.#now().toISOString());
    for (const sessionId of ended) this.#tellEnd(sessionId);
  }

  /** The person behind an access token, with the role they have now. Throws `Unauthorized`. */
  async authenticate(accessToken: string): Promise<Principal> {
    const token = await this.#tokens.verify(accessToken);
    const holder = await this.#sessions.holder(token.sessionId, token.tokenId, this.#now().toISOString());
    if (holder === undefined || holder.userId !== token.userId) throw new Unauthorized('the session is over; log in');
    return { ...token, ...holder, userId: holder.userId as UserId };
  }

  async createTicket(principal: Principal): Promise<LiveTicket> {
    const ticket = newSecret();
    const expiresAt = new Date(this.#now().getTime() + ticketSeconds * 1000).toISOString();
    const { userId, sessionId } = principal;
    await this.#sessions.insertTicket({
      hash: hashOf(ticket),
      user_id: userId,
      session_id: sessionId,
      expires_at: expiresAt,
    });
    return { ticket, expires_in: ticketSeconds };
  }

  /** The session behind a ticket; it works once, for 30 s. Undefined where it is not good. */
  async redeemTicket(ticket: string): Promise<string | undefined> {
    const taken = await this.#sessions.takeTicket(hashOf(ticket));
    const now = this.#now().toISOString();
    if (taken === undefined || taken.expires_at <= now) return undefined;
    return (await this.isOpen(taken.session_id)) ? taken.session_id : undefined;
  }

  async isOpen(sessionId: string): Promise<boolean> {
    return (await this.#sessions.holder(sessionId, undefined, this.#now().toISOString())) !== undefined;
  }

  async #pair(user: User, sessionId: string, refreshToken: string): Promise<TokenPair> {
    return {
      access_token: await this.#tokens.sign(user.id, sessionId),
      refresh_token: refreshToken,
      token_type: 'bearer',
      expires_in: this.#tokens.lifetimeSeconds,
      user,
    };
  }

  #tellEnd(sessionId: string): void {
    for (const listener of this.#endListeners) listener(sessionId);
  }
}

function newSecret(): string {
  return randomBytes(32).toString('base64url');
}

function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url');
}
