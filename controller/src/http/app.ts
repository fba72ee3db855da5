/** The HTTP API: middleware in its order, then the features' routes, on one screen. */
import { OpenAPIHono } from '@hono/zod-openapi';
import { bodyLimit } from 'hono/body-limit';
import { cors } from 'hono/cors';
import type { Logger } from 'pino';
import { PayloadTooLarge } from '../errors.ts';
import { accessLog, type Answer } from './access-log.ts';
import { authenticate, type Authenticator } from './authenticate.ts';
import { healthRoutes, type About, type HealthCheck } from './health-routes.ts';
import { answerUnknown } from './method-not-allowed.ts';
import { openApiRoutes } from './openapi.ts';
import { requirePlainText } from './plain-text.ts';
import { requireOwnHost, type OwnHosts } from './own-host.ts';
import { answerError } from './problem-details.ts';
import { limitLogins, limitRequests, type RateLimits } from './rate-limit.ts';
import { identifyRequest, type RequestContext } from './request-context.ts';
import { declaredAccess, requireAccess, type DeclaredAccess } from './require-access.ts';
import type { Routes } from './route.ts';
import { protectBrowsers } from './secure-headers.ts';

/** A feature's routes and the path they live under. */
export interface Mount {
  readonly path: string;
  readonly routes: Routes;
}

export interface AppOptions {
  readonly log: Logger;
  readonly about: About;
  readonly hosts: OwnHosts;
  readonly corsOrigins: readonly string[];
  readonly rateLimits: RateLimits;
  readonly authenticator: Authenticator;
  readonly healthChecks: readonly HealthCheck[];
  readonly mounts: readonly Mount[];
  /** Called after each answer, for metrics. */
  readonly onAnswer: (answer: Answer) => void;
}

const maxBodyBytes = 1024 * 1024;
/** Model bundles come whole, in base64: 32 MiB of files at most. */
const maxModelBytes = 48 * 1024 * 1024;
const modelsPath = '/api/v1/models';

export function createApp(options: AppOptions): Routes {
  const { log, about, hosts, corsOrigins, rateLimits, authenticator, healthChecks, mounts, onAnswer } = options;
  let declared: DeclaredAccess = new Map();
  const app = new OpenAPIHono<RequestContext>({ strict: false });
  app.onError(answerError);
  app.notFound(answerUnknown(app));

  app.use(identifyRequest(log));
  app.use(accessLog(onAnswer));
  app.use(protectBrowsers());
  app.use(requireOwnHost(hosts));
  if (corsOrigins.length > 0)
    app.use(cors({ origin: [...corsOrigins], allowHeaders: ['authorization', 'content-type'] }));
  const ordinary = bodyLimit({ maxSize: maxBodyBytes, onError: () => refuseLargeBody(maxBodyBytes) });
  const forModels = bodyLimit({ maxSize: maxModelBytes, onError: () => refuseLargeBody(maxModelBytes) });
  app.use((context, next) =>
    context.req.method === 'POST' && context.req.path.replace(/\/$/, '') === modelsPath
      ? forModels(context, next)
      : ordinary(context, next),
  );
  const limitGuesses = limitLogins(rateLimits);
  for (const path of ['login', 'token', 'me/password']) app.use(`/api/v1/auth/${path}`, limitGuesses);
  app.use(authenticate(authenticator));
  app.use(limitRequests(rateLimits));
  app.use(requireAccess(() => declared));
  app.use(requirePlainText());

  app.route('/', healthRoutes(about, healthChecks));
  app.route(
    '/',
    openApiRoutes(() => describe(app, about)),
  );
  for (const { path, routes } of mounts) app.route(path, routes);

  app.openAPIRegistry.registerComponent('securitySchemes', 'bearer', {
    type: 'http',
    scheme: 'bearer',
    description: 'The access_token of POST /api/v1/auth/login',
  });
  declared = declaredAccess(app);
  return app;
}

function describe(app: Routes, about: About): object {
  const document = app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'Picket controller',
      version: about.version,
      description:
        'Lists are `{items, next_cursor}`; give `next_cursor` back as `cursor`. Errors are RFC 9457 problems whose ' +
        '`errors` name the refused fields. Each operation says in `x-picket-access` who may use it.',
    },
    servers: [{ url: '/' }],
  });
  for (const [path, operations] of Object.entries(document.paths ?? {})) {
    const feature = /^\/api\/v1\/([a-z-]+)/.exec(path)?.[1] ?? 'controller';
    for (const [method, operation] of Object.entries(operations as Record<string, OperationNames>)) {
      operation.tags = [feature];
      operation.operationId = operationId(method, path);
    }
  }
  return document;
}

interface OperationNames {
  tags?: string[];
  operationId?: string;
}

/** For generated clients: `getAlertsId` of `GET /api/v1/alerts/{id}`; what is outside of the API begins with `controller`. */
function operationId(method: string, path: string): string {
  const words = path.startsWith('/api/v1/') ? path.slice('/api/v1'.length) : `/controller${path}`;
  return words
    .replaceAll(/[^A-Za-z0-9]+([A-Za-z0-9]?)/g, (_, first: string) => first.toUpperCase())
    .replace(/^/, method);
}

function refuseLargeBody(limit: number): never {
  throw new PayloadTooLarge(`the body is larger than ${limit} bytes`);
}
