/** Reads the bearer token of a request. Who may do what is decided later, by what the route declared. */
import type { MiddlewareHandler } from 'hono';
import { ControllerError } from '../errors.ts';
import type { Principal } from '../principal.ts';
import type { RequestContext } from './request-context.ts';

/** Resolves to the person behind an access token; throws `Unauthorized` for any that is not valid now. */
export type Authenticator = (accessToken: string) => Promise<Principal>;

/**
 * Sets `principal`. A bad token counts as none here, so that public routes answer anyone; a route that needs a person
 * answers 401 by itself. A database that is away is an error of its own, never a log-out.
 */
export function authenticate(verify: Authenticator): MiddlewareHandler<RequestContext> {
  return async (context, next) => {
    context.set('principal', undefined);
    const match = /^Bearer ([A-Za-z0-9._~+/=-]{1,4096})$/i.exec(context.req.header('authorization') ?? '');
    if (match?.[1] !== undefined) {
      try {
        context.set('principal', await verify(match[1]));
      } catch (error) {
        if (!(error instanceof ControllerError) || error.code !== 'unauthorized') throw error;
      }
    }
    await next();
  };
}
