/**
 * How a feature declares its routes. Every route says who may use it; one that does not is refused by the app
 * (`require-access.ts`), so that forgetting closes a door instead of opening one.
 */
import { OpenAPIHono, createRoute, type Hook, type RouteConfig } from '@hono/zod-openapi';
import type { Role } from '@picket/shared/contract/access';
import { Problem } from '@picket/shared/contract/problem';
import { refuseInvalid } from './problem-details.ts';
import type { RequestContext } from './request-context.ts';

/** `public`: anyone; `signed-in`: any person; a role: that role or a higher one. */
export type Access = 'public' | 'signed-in' | Role;

/** Member of the OpenAPI operation that carries the declared access. */
export const accessMember = 'x-picket-access';

/** A feature's routes; a feature makes one by `createRoutes()` and adds to it by `routes.openapi(route({…}), handler)`. */
export type Routes = OpenAPIHono<RequestContext>;

export function createRoutes(): Routes {
  return new OpenAPIHono<RequestContext>({
    defaultHook: refuseInvalid as Hook<unknown, RequestContext, string, unknown>,
  });
}

type Declared<R> = R & { access: Access };

/** `createRoute` of zod-openapi, with who may use it. A body is required unless it says otherwise. */
export function route<P extends string, R extends Omit<RouteConfig, 'path'> & { path: P }>(
  declared: Declared<R>,
): ReturnType<typeof createRoute<P, R>> {
  const { access, ...config } = declared;
  const body = config.request?.body;
  return createRoute<P, R>({
    ...config,
    [accessMember]: access,
    security: access === 'public' ? [] : [{ bearer: [] }],
    ...(body === undefined ? {} : { request: { ...config.request, body: { required: true, ...body } } }),
    responses: {
      ...config.responses,
      default: {
        description: 'Refused or failed: an RFC 9457 problem',
        content: { 'application/problem+json': { schema: Problem } },
      },
    },
  } as unknown as R);
}
