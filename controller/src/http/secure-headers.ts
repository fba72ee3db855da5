/** What browsers are told about every answer: no framing, no sniffing, nothing loaded from elsewhere, nothing kept. */
import type { MiddlewareHandler } from 'hono';
import { secureHeaders } from 'hono/secure-headers';
import type { RequestContext } from './request-context.ts';

const policy = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** A page that needs more sets its own policy; an asset that may be kept its own `cache-control`. */
export function protectBrowsers(): MiddlewareHandler<RequestContext> {
  const headers = secureHeaders({
    xFrameOptions: 'DENY',
    referrerPolicy: 'no-referrer',
    strictTransportSecurity: false,
  });
  return async (context, next) => {
    await headers(context, next);
    if (!context.res.headers.has('content-security-policy')) context.header('content-security-policy', policy);
    if (!context.res.headers.has('cache-control')) context.header('cache-control', 'no-store');
  };
}
