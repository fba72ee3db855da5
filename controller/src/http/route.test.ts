import { z } from '@hono/zod-openapi';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import type { Role } from '@picket/shared/contract/access';
import type { UserId } from '@picket/shared/contract/identifiers';
import { createApp } from './app.ts';
import { ownHosts } from './own-host.ts';
import { principalOf } from './request-context.ts';
import { createRoutes, route } from './route.ts';

function appWith(role?: Role) {
  const routes = createRoutes();
  const ok = { 200: { description: 'ok', content: { 'application/json': { schema: z.object({ who: z.string() }) } } } };
  routes.openapi(route({ method: 'get', path: '/', access: 'viewer', responses: ok }), (c) =>
    c.json({ who: principalOf(c).username }, 200),
  );
  routes.openapi(
    route({
      method: 'post',
      path: '/{id}/rename',
      access: 'operator',
      request: {
        params: z.object({ id: z.uuid() }),
        query: z.object({ limit: z.coerce.number().int().max(10).default(5) }),
        body: { content: { 'application/json': { schema: z.strictObject({ name: z.string().min(2) }) } } },
      },
      responses: ok,
    }),
    (c) => c.json({ who: `${c.req.valid('json').name} ${c.req.valid('query').limit}` }, 200),
  );
  routes.get('/undeclared', (c) => c.text('secret'));
  return createApp({
    log: pino({ level: 'silent' }),
    authenticator: async () => ({
      userId: 'u' as UserId,
      username: 'eve',
      role: role ?? 'viewer',
      sessionId: 's',
      tokenId: 't',
      expiresAt: 0,
    }),
    about: { version: '0' },
    hosts: ownHosts([], []),
    corsOrigins: [],
    rateLimits: { requestsPerMinute: 100, loginsPerMinute: 5 },
    healthChecks: [],
    onAnswer: () => {},
    mounts: [{ path: '/api/v1/things', routes }],
  });
}

const bearer = { authorization: 'Bearer x' };
const id = '019abcde-0000-7000-8000-000000000000';

test('a declared route asks for its role', async () => {
  expect((await appWith().request('/api/v1/things')).status).toBe(401);
  expect((await appWith('viewer').request('/api/v1/things/', { headers: bearer })).status).toBe(200);
  const rename = {
    method: 'POST',
    headers: { ...bearer, 'content-type': 'application/json' },
    body: '{"name":"door"}',
  };
  expect((await appWith('viewer').request(`/api/v1/things/${id}/rename`, rename)).status).toBe(403);
  expect((await appWith('admin').request(`/api/v1/things/${id}/rename`, rename)).status).toBe(200);
});

test('a route that declares no access is refused to everybody', async () => {
  expect((await appWith('admin').request('/api/v1/things/undeclared', { headers: bearer })).status).toBe(403);
});
