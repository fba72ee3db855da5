/**
 * Which names this controller answers to. A request for another host is refused (421): a page that rebinds its own name
 * to our address must not talk to us.
 */
import type { MiddlewareHandler } from 'hono';
import { MisdirectedRequest } from '../errors.ts';
import type { RequestContext } from './request-context.ts';

export interface OwnHosts {
  /** `host` as the Host header gives it, with or without port. */
  isOwnHost(host: string | undefined): boolean;
  /** Pages of our own and of the origins that were allowed. */
  isAllowedOrigin(origin: string, host: string | undefined): boolean;
}

const always = ['localhost', '127.0.0.1', '[::1]'];

export function ownHosts(names: readonly string[], corsOrigins: readonly string[]): OwnHosts {
  const own = new Set(
    [...always, ...names.map((name) => (name.includes(':') ? `[${name}]` : name))].map((name) => name.toLowerCase()),
  );
  const origins = new Set(corsOrigins.map((origin) => new URL(origin).origin));
  return {
    isOwnHost: (host) => own.has((host ?? '').toLowerCase().replace(/:\d{1,5}$/, '')),
    isAllowedOrigin: (origin, host) =>
      URL.canParse(origin) && (origins.has(origin) || new URL(origin).host === host?.toLowerCase()),
  };
}

export function requireOwnHost(hosts: OwnHosts): MiddlewareHandler<RequestContext> {
  return async (context, next) => {
    const host = context.req.header('host') ?? new URL(context.req.url).host;
    if (!hosts.isOwnHost(host)) {
      throw new MisdirectedRequest('this controller does not go by that name; add it to public_host or allowed_hosts');
    }
    await next();
  };
}
