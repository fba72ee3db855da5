/** The HTTP API: middleware in its order, then the features' routes, on one screen. */
import { OpenAPIHono } from '@hono/zod-openapi';
import type { Logger } from 'pino';
import { NotFound } from '../errors.ts';
import { accessLog } from './access-log.ts';
import { authenticate, type Authenticator } from './authenticate.ts';
import { answerError } from './problem-details.ts';
import { identifyRequest, type RequestContext } from './request-context.ts';
import { declaredAccess, requireAccess, type DeclaredAccess } from './require-access.ts';
import type { Routes } from './route.ts';

/** A feature's routes and the path they live under. */
export interface Mount {
  readonly path: string;
  readonly routes: Routes;
}

export interface AppOptions {
  readonly log: Logger;
  readonly authenticator: Authenticator;
  readonly mounts: readonly Mount[];
}

export function createApp(options: AppOptions): Routes {
  let declared: DeclaredAccess = new Map();
  const app = new OpenAPIHono<RequestContext>({ strict: false });
  app.onError(answerError);
  app.notFound((context) => answerError(new NotFound(`there is nothing at ${context.req.path}`), context));

  app.use(identifyRequest(options.log));
  app.use(accessLog());
  app.use(authenticate(options.authenticator));
  app.use(requireAccess(() => declared));

  for (const { path, routes } of options.mounts) app.route(path, routes);
  declared = declaredAccess(app);
  return app;
}
