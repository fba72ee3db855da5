/** One line per request: route pattern, status, time. Never the query or a header, for those may carry secrets. */
import type { MiddlewareHandler } from 'hono';
import { routePath } from 'hono/route';
import type { RequestContext } from './request-context.ts';

export interface Answer {
  readonly method: string;
  /** The pattern, never the path: bounded, and without ids. */
  readonly route: string;
  readonly status: number;
  readonly seconds: number;
}

export function accessLog(onAnswer: (answer: Answer) => void): MiddlewareHandler<RequestContext> {
  return async (context, next) => {
    const startedAt = performance.now();
    await next();
    const seconds = (performance.now() - startedAt) / 1000;
    const { method } = context.req;
    const { status } = context.res;
    const pattern = routePath(context, -1);
    onAnswer({ method, route: pattern, status, seconds });
    context.var.log.info(
      {
        request_id: context.var.requestId,
        method,
        route: pattern,
        status,
        milliseconds: Math.round(seconds * 10_000) / 10,
        address: context.var.address,
        user: context.var.principal?.username,
      },
      'request',
    );
  };
}
