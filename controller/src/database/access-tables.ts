/** People, their sessions, and the audit log: the tables of migration 0001. */
import type { Role } from '@picket/shared/contract/access';

export interface UserRow {
  id: string;
  /** Lower case. */
  username: string;
  /** Lower case. */
  email: string | null;
  /** Argon2id, PHC string. */
  password_hash: string;
  role: Role;
  is_active: number;
  last_login: string | null;
  /** Failures in a row; set to 0 by a success. */
  failed_logins: number;
  locked_until: string | null;
  created_at: string;
  updated_at: string;
}

/** One log-in and all tokens that came of it. */
export interface SessionRow {
  id: string;
  user_id: string;
  address: string;
  user_agent: string;
  created_at: string;
  /** When the newest refresh token ends. */
  expires_at: string;
  /** Set by log-out, reuse of a refresh token, password change. */
  ended_at: string | null;
  ended_reason: string | null;
}

export interface RefreshTokenRow {
  /** SHA-256 of the token, base64url. */
  hash: string;
  session_id: string;
  created_at: string;
  expires_at: string;
  /** Set when it was exchanged; a second exchange ends the session. */
  rotated_at: string | null;
}

/** Access tokens that were ended before their time. */
export interface RevokedTokenRow {
  jti: string;
  expires_at: string;
}

export interface LiveTicketRow {
  hash: string;
  user_id: string;
  session_id: string;
  expires_at: string;
}

export interface AuditRow {
  /** From 1, without gaps. */
  sequence: number;
  at: string;
  who: string;
  what: string;
  on_what: string;
  before: string | null;
  after: string | null;
  address: string | null;
  previous_hash: string;
  hash: string;
}

export interface AccessTables {
  users: UserRow;
  sessions: SessionRow;
  refresh_tokens: RefreshTokenRow;
  revoked_tokens: RevokedTokenRow;
  live_tickets: LiveTicketRow;
  audit_log: AuditRow;
}
