/**
 * How a feature declares its routes. Every route says who may use it; one that does not is refused by the app
 * (`require-access.ts`), so that forgetting closes a door instead of opening one.
 */
import { OpenAPIHono, createRoute, type Hook, type RouteConfig } from '@hono/zod-openapi';
import type { Role } from '@picket/shared/contract/access';
import type { ProblemCode } from '@picket/shared/contract/problem';
import { problemAnswer, refusals, refuseInvalid } from './problem-details.ts';
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

type Declared<R> = R & {
  access: Access;
  /** How else it refuses, besides what follows from its access, path, query and body. */
  refuses?: readonly ProblemCode[];
};

/** `createRoute` of zod-openapi, with who may use it. A body is required unless it says otherwise. */
export function route<P extends string, R extends Omit<RouteConfig, 'path'> & { path: P }>(
  declared: Declared<R>,
): ReturnType<typeof createRoute<P, R>> {
  const { access, refuses = [], ...config } = declared;
  const body = config.request?.body;
  return createRoute<P, R>({
    ...config,
    [accessMember]: access,
    security: access === 'public' ? [] : [{ bearer: [] }],
    ...(body === undefined ? {} : { request: { ...config.request, body: { required: true, ...body } } }),
    responses: {
      ...config.responses,
      ...refusals([...impliedRefusals(access, config.path, config.request), ...refuses]),
      default: problemAnswer('Failed otherwise: an RFC 9457 problem'),
    },
  } as unknown as R);
}

/** What a caller must expect of any route with this access, path, query and body. */
function impliedRefusals(access: Access, path: string, request: RouteConfig['request'] = {}): ProblemCode[] {
  const codes: ProblemCode[] = ['too-many-requests'];
  if (access !== 'public') codes.push('unauthorized');
  if (access !== 'public' && access !== 'signed-in') codes.push('forbidden');
  if (path.includes('{')) codes.push('not-found');
  if (request.body !== undefined) codes.push('bad-request', 'payload-too-large');
  if (request.body !== undefined || request.query !== undefined || request.headers !== undefined)
    codes.push('invalid-input');
  return codes;
}
