/** Commands work on the database beside a running controller, or without one. */
import { join } from 'node:path';
import { AuditRepository } from '../audit/audit-repository.ts';
import { AuditService } from '../audit/audit-service.ts';
import type { Actor } from '../audit/audit-service.ts';
import { createAccess, type Access } from '../access/create-access.ts';
import type { ControllerConfig } from '../config/controller-config.ts';
import { openDatabase, type Database } from '../database/database.ts';

/** Whoever sits at the terminal of the host. */
export const operatorAtTerminal: Actor = { username: 'terminal', address: null };

export interface Services {
  readonly database: Database;
  readonly audit: AuditService;
  readonly access: Access;
}

/** Opens and migrates the database, runs `work`, closes. */
export async function withServices<T>(config: ControllerConfig, work: (services: Services) => Promise<T>): Promise<T> {
  await using database = await openDatabase({ url: config.database_url, file: join(config.data_dir, 'picket.db') });
  await database.migrate();
  const audit = new AuditService(new AuditRepository(database));
  return await work({ database, audit, access: await createAccess(config, database, audit) });
}
