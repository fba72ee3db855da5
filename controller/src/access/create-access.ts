/** People and their sessions, put together. */
import type { AuditService } from '../audit/audit-service.ts';
import type { ControllerConfig } from '../config/controller-config.ts';
import type { Database } from '../database/database.ts';
import type { Routes } from '../http/route.ts';
import { AccessTokens } from './access-tokens.ts';
import { SessionRepository } from './session-repository.ts';
import { sessionRoutes } from './session-routes.ts';
import { SessionService } from './session-service.ts';
import { UserRepository } from './user-repository.ts';
import { UserService } from './user-service.ts';

export interface Access {
  readonly users: UserService;
  readonly sessions: SessionService;
  /** For `/api/v1/auth`. */
  readonly routes: Routes;
}

/** Throws `StartFailure` where the token key in the data folder cannot be used. */
export async function createAccess(
  config: Pick<ControllerConfig, 'data_dir' | 'access_token_minutes' | 'refresh_token_days'>,
  database: Database,
  audit: AuditService,
): Promise<Access> {
  const users = new UserService(new UserRepository(database), audit);
  const sessions = new SessionService({
    sessions: new SessionRepository(database),
    users,
    tokens: await AccessTokens.open(config.data_dir, config.access_token_minutes),
    audit,
    refreshDays: config.refresh_token_days,
  });
  return { users, sessions, routes: sessionRoutes(sessions, users) };
}
