/** What every handler finds in `c.var`, and what it may ask of it. */
import type { HttpBindings } from '@hono/node-server';
import { newId } from '@picket/shared/contract/identifiers';
import type { Context, MiddlewareHandler } from 'hono';
import type { Logger } from 'pino';
import { Unauthorized } from '../errors.ts';
import type { Principal } from '../principal.ts';

export interface RequestContext {
  Bindings: Partial<HttpBindings>;
  Variables: {
    requestId: string;
    /** Address of the other end of the connection. */
    address: string;
    /** Undefined without a valid credential; read it by `principalOf`. */
    principal: Principal | undefined;
    log: Logger;
  };
}

/** The signed-in person. Throws `Unauthorized` on a public route without credential. */
export function principalOf(context: Context<RequestContext>): Principal {
  const principal = context.var.principal;
  if (principal === undefined) throw new Unauthorized('log in first');
  return principal;
}

/** The same person as the audit log names them. */
export function actorOf(context: Context<RequestContext>): { username: string; address: string } {
  return { username: principalOf(context).username, address: context.var.address };
}

/** First of all middleware: an id for the request, and who is at the other end of the connection. */
export function identifyRequest(log: Logger): MiddlewareHandler<RequestContext> {
  return async (context, next) => {
    context.set('requestId', newId());
    context.set('address', addressOf(context));
    context.set('log', log);
    context.header('x-request-id', context.var.requestId);
    await next();
  };
}

function addressOf(context: Context<RequestContext>): string {
  // A request that did not come over a socket (a test's) has no environment at all.
  const env = context.env as Partial<HttpBindings> | undefined;
  const address = env?.incoming?.socket.remoteAddress ?? '127.0.0.1';
  return address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address;
}
