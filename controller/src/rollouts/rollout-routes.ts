/** Rollouts of prevention rules: `/api/v1/rollouts`. */
import { z } from '@hono/zod-openapi';
import { RolloutId } from '@picket/shared/contract/identifiers';
import { StoredRollout } from '@picket/shared/contract/stored-rollout';
import { json, toPage } from '../http/list-filters.ts';
import { pageQuery, pageRequest, pageSchema } from '../http/pagination.ts';
import { actorOf } from '../http/request-context.ts';
import { createRoutes, route, type Routes } from '../http/route.ts';
import type { RolloutService } from './rollout-service.ts';

const params = z.object({ id: RolloutId });

export function rolloutRoutes(rollouts: RolloutService): Routes {
  const routes = createRoutes();

  routes.openapi(
    route({
      method: 'get',
      path: '/',
      access: 'viewer',
      summary: 'Rollouts of the prevention rules, newest first, with what each gateway made of them',
      request: { query: z.object(pageQuery) },
      responses: { 200: json(pageSchema(StoredRollout), 'Rollouts') },
    }),
    async (context) => {
      const page = pageRequest(context.req.valid('query'));
      return context.json(toPage(await rollouts.list(page), page.limit), 200);
    },
  );

  routes.openapi(
    route({
      method: 'post',
      path: '/',
      access: 'admin',
      summary: 'Roll out the rules as they are now, canaries first; a change of a rule does so by itself',
      responses: { 202: json(StoredRollout, 'Under way') },
    }),
    async (context) => context.json(await rollouts.begin(actorOf(context)), 202),
  );

  routes.openapi(
    route({
      method: 'get',
      path: '/{id}',
      access: 'viewer',
      summary: 'One rollout, gateway by gateway',
      request: { params },
      responses: { 200: json(StoredRollout, 'The rollout') },
    }),
    async (context) => context.json(await rollouts.get(context.req.valid('param').id), 200),
  );

  for (const [verb, summary] of [
    ['resume', 'Go on after a gateway fell silent: it gets its time once more'],
    ['abort', 'Undo it: every gateway gets back the rules it had'],
  ] as const) {
    routes.openapi(
      route({
        method: 'post',
        path: `/{id}/${verb}`,
        access: 'admin',
        summary,
        refuses: ['conflict'],
        request: { params },
        responses: { 202: json(StoredRollout, 'Under way') },
      }),
      async (context) => context.json(await rollouts[verb](context.req.valid('param').id, actorOf(context)), 202),
    );
  }

  return routes;
}
