/** People: who there is, their passwords, and the lock-out after failed attempts. */
import { randomBytes } from 'node:crypto';
import type { Role, User } from '@picket/shared/contract/access';
import { newId, type UserId } from '@picket/shared/contract/identifiers';
import type { Actor, AuditService } from '../audit/audit-service.ts';
import { isUniqueViolation } from '../database/dialect.ts';
import { Conflict, NotFound } from '../errors.ts';
import { checkPassword, hashPassword, passwordMatches } from './password.ts';
import type { StoredUser, UserRepository } from './user-repository.ts';

const failuresBeforeLock = 5;
const firstLockMs = 30_000;
const longestLockMs = 15 * 60_000;

export interface NewUser {
  readonly username: string;
  readonly email: string | null;
  readonly password: string;
  readonly role: Role;
}

export class UserService {
  readonly #users: UserRepository;
  readonly #audit: AuditService;
  readonly #now: () => Date;

  constructor(users: UserRepository, audit: AuditService, now: () => Date = () => new Date()) {
    this.#users = users;
    this.#audit = audit;
    this.#now = now;
  }

  /** Makes `admin` where there is nobody yet. The password that was generated, if one was. */
  async createFirstAdmin(password: string | undefined): Promise<{ created: boolean; generated: string | undefined }> {
    if ((await this.#users.list()).length > 0) return { created: false, generated: undefined };
    const generated = password === undefined ? randomBytes(15).toString('base64url') : undefined;
    const chosen = password ?? generated ?? '';
    if (password !== undefined) checkPassword(password, 'admin', '/admin_password');
    const user = await this.#row({ username: 'admin', email: null, password: chosen, role: 'admin' });
    if (!(await this.#users.insertFirst(user))) return { created: false, generated: undefined };
    await this.#audit.record({ actor: system, what: 'user.create', onWhat: `user ${user.id}`, after: toUser(user) });
    return { created: true, generated };
  }

  /** Throws `InvalidInput` for a weak password, `Conflict` for a name or address that is taken. */
  async create(user: NewUser, actor: Actor): Promise<User> {
    checkPassword(user.password, user.username, '/password');
    const row = await this.#row(user);
    try {
      await this.#users.insert(row);
    } catch (error) {
      if (!isUniqueViolation(error)) throw error;
      throw new Conflict('there is already somebody with this user name or e-mail address', { cause: error });
    }
    await this.#audit.record({ actor, what: 'user.create', onWhat: `user ${row.id}`, after: toUser(row) });
    return toUser(row);
  }

  async list(): Promise<User[]> {
    return (await this.#users.list()).map(toUser);
  }

  async get(id: string): Promise<User> {
    const user = await this.#users.byId(id);
    if (user === undefined) throw new NotFound('there is no such person');
    return toUser(user);
  }

  async byUsername(username: string): Promise<User> {
    const user = await this.#users.byName('username', username.toLowerCase());
    if (user === undefined) throw new NotFound(`there is nobody called ${username}`);
    return toUser(user);
  }

  async setPassword(user: User, password: string, actor: Actor): Promise<void> {
    checkPassword(password, user.username, '/password');
    await this.#users.setPassword(user.id, await hashPassword(password), this.#now().toISOString());
    await this.#audit.record({ actor, what: 'user.password', onWhat: `user ${user.id}` });
  }

  /** Whether `password` is this person's, without counting the attempt. */
  async passwordIs(id: string, password: string): Promise<boolean> {
    return passwordMatches((await this.#users.byId(id))?.password_hash, password);
  }

  /**
   * The person, where name and password fit; undefined otherwise, with nothing to tell why: an unknown name, a wrong
   * password, a lock and a closed account look alike and take the same time.
   */
  async logIn(
    column: 'username' | 'email',
    name: string,
    password: string,
    address: string,
  ): Promise<User | undefined> {
    const user = await this.#users.byName(column, name.toLowerCase());
    const matches = await passwordMatches(user?.password_hash, password);
    const actor: Actor = { username: user?.username ?? name.slice(0, 254), address };
    const now = this.#now();
    const isLocked = user?.locked_until != null && user.locked_until > now.toISOString();
    if (user !== undefined && matches && !isLocked && user.is_active === 1) {
      await this.#users.noteSuccess(user.id, now.toISOString());
      await this.#audit.record({ actor, what: 'session.login', onWhat: `user ${user.id}` });
      return toUser({ ...user, last_login: now.toISOString() });
    }
    const reason =
      user === undefined ? 'unknown name' : isLocked ? 'locked' : matches ? 'not active' : 'wrong password';
    await this.#audit.record({
      actor,
      what: 'session.login-refused',
      onWhat: `user ${user?.id ?? '-'}`,
      after: { reason },
    });
    if (user !== undefined && !matches && !isLocked) await this.#countFailure(user, actor);
    return undefined;
  }

  async #countFailure(user: StoredUser, actor: Actor): Promise<void> {
    const failures = await this.#users.noteFailure(user.id);
    if (failures < failuresBeforeLock) return;
    const lockMs = Math.min(firstLockMs * 2 ** Math.min(failures - failuresBeforeLock, 10), longestLockMs);
    const until = new Date(this.#now().getTime() + lockMs).toISOString();
    await this.#users.lock(user.id, until);
    await this.#audit.record({ actor, what: 'user.lock', onWhat: `user ${user.id}`, after: { failures, until } });
  }

  async #row({ username, email, password, role }: NewUser): Promise<StoredUser> {
    const now = this.#now().toISOString();
    return {
      id: newId(),
      username: username.toLowerCase(),
      email: email?.toLowerCase() ?? null,
      password_hash: await hashPassword(password),
      role,
      is_active: 1,
      last_login: null,
      failed_logins: 0,
      locked_until: null,
      created_at: now,
      updated_at: now,
    };
  }
}

/** For what the program does by itself. */
export const system: Actor = { username: 'system', address: null };

export function toUser(row: StoredUser): User {
  return {
    id: row.id as UserId,
    username: row.username,
    email: row.email,
    role: row.role,
    is_active: row.is_active === 1,
    last_login: row.last_login,
  };
}
