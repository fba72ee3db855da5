/** How often one person (or, before log-in, one address) may ask, counted per minute; log-in is counted apart and lower. */
import type { MiddlewareHandler } from 'hono';
import { rateLimiter } from 'hono-rate-limiter';
import { TooManyRequests } from '../errors.ts';
import type { RequestContext } from './request-context.ts';

const windowMs = 60_000;

export interface RateLimits {
  readonly requestsPerMinute: number;
  readonly loginsPerMinute: number;
}

export function limitRequests(limits: RateLimits): MiddlewareHandler<RequestContext> {
  return limiter(limits.requestsPerMinute, (context) => context.var.principal?.userId ?? context.var.address);
}

/** By address, whoever the attempt is for. One of these for every route that takes a password: they count together. */
export function limitLogins(limits: RateLimits): MiddlewareHandler<RequestContext> {
  return limiter(limits.loginsPerMinute, (context) => context.var.address);
}

type KeyOf = (context: Parameters<MiddlewareHandler<RequestContext>>[0]) => string;

function limiter(limit: number, keyGenerator: KeyOf): MiddlewareHandler<RequestContext> {
  return rateLimiter<RequestContext>({
    windowMs,
    limit,
    standardHeaders: 'draft-7',
    keyGenerator,
    handler: (context) => {
      const seconds = Number(context.res.headers.get('retry-after') ?? windowMs / 1000);
      throw new TooManyRequests(`more than ${limit} requests in a minute; wait ${seconds} s`, { retryAfter: seconds });
    },
  });
}
