/** Composition root: database → services → broker and HTTP; everything is closed in the reverse order. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { ControllerConfig } from './config/controller-config.ts';
import { openDatabase, type Database } from './database/database.ts';
import { Unauthorized } from './errors.ts';
import { createApp, type Mount } from './http/app.ts';
import { listenHttp } from './http/http-server.ts';
import type { Routes } from './http/route.ts';

export interface Controller extends AsyncDisposable {
  readonly app: Routes;
  readonly database: Database;
  /** Where the API answers. */
  readonly url: string;
}

/** Migrates, starts and resolves once every door is open. Throws `StartFailure` where one cannot be opened. */
export async function startController(config: ControllerConfig, log: Logger): Promise<Controller> {
  await using starting = new AsyncDisposableStack();
  await mkdir(config.data_dir, { recursive: true, mode: 0o700 });
  const database = starting.use(
    await openDatabase({ url: config.database_url, file: join(config.data_dir, 'picket.db') }),
  );
  await database.migrate();

  const mounts: Mount[] = [];
  const app = createApp({
    log,
    authenticator: () => Promise.reject(new Unauthorized('log in first')),
    mounts,
  });
  const http = starting.use(await listenHttp(app, config.http));

  const running = starting.move();
  return { app, database, url: http.url, [Symbol.asyncDispose]: () => running.disposeAsync() };
}
