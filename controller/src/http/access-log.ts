/** One line per request: route pattern, status, time. Never the query or a header, for those may carry secrets. */
import type { MiddlewareHandler } from 'hono';
import { routePath } from 'hono/route';
import type { RequestContext } from './request-context.ts';

export function accessLog(): MiddlewareHandler<RequestContext> {
  return async (context, next) => {
    const startedAt = performance.now();
    await next();
    context.var.log.info(
      {
        request_id: context.var.requestId,
        method: context.req.method,
        route: routePath(context, -1),
        status: context.res.status,
        milliseconds: Math.round((performance.now() - startedAt) * 10) / 10,
        address: context.var.address,
        user: context.var.principal?.username,
      },
      'request',
    );
  };
}
