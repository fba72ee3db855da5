/** Model bundles: `/api/v1/models`. */
import { z } from '@hono/zod-openapi';
import { ModelManifest } from '@picket/shared/contract/model-manifest';
import { ModelDetail, ModelTarget, NewModel, StoredModel } from '@picket/shared/contract/stored-model';
import { json, jsonBody } from '../http/list-filters.ts';
import { pageSchema } from '../http/pagination.ts';
import { actorOf } from '../http/request-context.ts';
import { createRoutes, route, type Routes } from '../http/route.ts';
import type { ModelService } from './model-service.ts';

const params = z.object({ version: ModelManifest.shape.version });

export function modelRoutes(models: ModelService): Routes {
  const routes = createRoutes();

  routes.openapi(
    route({
      method: 'get',
      path: '/',
      access: 'viewer',
      summary: 'Model bundles, newest first, all on one page; what a gateway serves stands in its twin',
      responses: { 200: json(pageSchema(StoredModel), 'Bundles') },
    }),
    async (context) => context.json({ items: await models.list(), next_cursor: null }, 200),
  );

  routes.openapi(
    route({
      method: 'post',
      path: '/',
      access: 'admin',
      summary:
        'Take in a bundle: verified as gateways verify it (manifest, hashes, feature schema, operators, sizes), then signed with the bundle key; it serves nowhere until it is activated',
      refuses: ['conflict'],
      request: { body: jsonBody(NewModel) },
      responses: { 201: json(ModelDetail, 'The bundle, a candidate') },
    }),
    async (context) => context.json(await models.upload(context.req.valid('json'), actorOf(context)), 201),
  );

  routes.openapi(
    route({
      method: 'get',
      path: '/{version}',
      access: 'viewer',
      summary: 'One bundle with manifest, model card and signature',
      request: { params },
      responses: { 200: json(ModelDetail, 'The bundle') },
    }),
    async (context) => context.json(await models.get(context.req.valid('param').version), 200),
  );

  for (const [verb, summary] of [
    [
      'activate',
      'Have the fleet serve this bundle, or only the gateways named; each fetches it by hash, verifies it, tries it in a process of its own and changes over without a gap',
    ],
    ['rollback', 'Have the fleet serve what it served before this bundle, or the gateways named what the fleet serves'],
  ] as const) {
    routes.openapi(
      route({
        method: 'post',
        path: `/{version}/${verb}`,
        access: 'admin',
        summary,
        refuses: verb === 'rollback' ? ['conflict'] : [],
        request: { params, body: { ...jsonBody(ModelTarget), required: false } },
        responses: { 200: json(StoredModel, 'The bundle; `twin.bundle` of each gateway shows how far it is') },
      }),
      async (context) => {
        const { version } = context.req.valid('param');
        const target = ModelTarget.parse(context.req.valid('json') ?? {});
        const actor = actorOf(context);
        const model =
          verb === 'activate'
            ? await models.activate(version, target, actor)
            : await models.rollBack(version, target, actor);
        return context.json(model, 200);
      },
    );
  }

  routes.openapi(
    route({
      method: 'delete',
      path: '/{version}',
      access: 'admin',
      summary: 'Delete a bundle that no gateway is to serve',
      refuses: ['conflict'],
      request: { params },
      responses: { 204: { description: 'Deleted' } },
    }),
    async (context) => {
      await models.delete(context.req.valid('param').version, actorOf(context));
      return context.body(null, 204);
    },
  );

  return routes;
}
