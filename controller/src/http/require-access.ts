/** Default deny: a request reaches a handler only where a route was declared for it and its declared access is met. */
import type { MiddlewareHandler } from 'hono';
import { matchedRoutes } from 'hono/route';
import { Role, roleAtLeast } from '@picket/shared/contract/access';
import { Forbidden, Unauthorized } from '../errors.ts';
import type { Principal } from '../principal.ts';
import type { RequestContext } from './request-context.ts';
import { accessMember, type Access, type Routes } from './route.ts';

/** Declared access by `METHOD /path/:id`. */
export type DeclaredAccess = ReadonlyMap<string, Access>;

export function declaredAccess(app: Routes): DeclaredAccess {
  const declared = new Map<string, Access>();
  for (const definition of app.openAPIRegistry.definitions) {
    if (definition.type !== 'route') continue;
    const access = (definition.route as Record<string, unknown>)[accessMember];
    if (isAccess(access)) {
      const path = definition.route.path.replaceAll(/\{([^}]+)\}/g, ':$1');
      declared.set(`${definition.route.method.toUpperCase()} ${withoutTrailingSlash(path)}`, access);
    }
  }
  return declared;
}

function isAccess(value: unknown): value is Access {
  return value === 'public' || value === 'signed-in' || Role.safeParse(value).success;
}

/** `declared` is asked for at each request, for the routes are mounted after this middleware. */
export function requireAccess(declared: () => DeclaredAccess): MiddlewareHandler<RequestContext> {
  return async (context, next) => {
    const endpoints = matchedRoutes(context).filter((matched) => matched.method !== 'ALL');
    for (const endpoint of endpoints) {
      const access = declared().get(`${endpoint.method} ${withoutTrailingSlash(endpoint.path)}`);
      if (access === undefined) {
        context.var.log.error({ method: endpoint.method, path: endpoint.path }, 'route without declared access');
        throw new Forbidden('this route declares nobody who may use it');
      }
      checkAccess(access, context.var.principal);
    }
    await next();
  };
}

function checkAccess(access: Access, principal: Principal | undefined): void {
  if (access === 'public') return;
  if (principal === undefined) throw new Unauthorized('log in and send the access token as a bearer token');
  if (access !== 'signed-in' && !roleAtLeast(principal.role, access)) {
    throw new Forbidden(`this needs the role ${access}; you have ${principal.role}`);
  }
}

function withoutTrailingSlash(path: string): string {
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}
