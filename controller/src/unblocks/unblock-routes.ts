/** Fleet-wide unblocks: `/api/v1/unblocks`. */
import { z } from '@hono/zod-openapi';
import { UnblockId } from '@picket/shared/contract/identifiers';
import { NewUnblock, StoredUnblock } from '@picket/shared/contract/stored-unblock';
import { json, jsonBody, toPage } from '../http/list-filters.ts';
import { pageQuery, pageRequest, pageSchema } from '../http/pagination.ts';
import { actorOf } from '../http/request-context.ts';
import { createRoutes, route, type Routes } from '../http/route.ts';
import type { UnblockService } from './unblock-service.ts';

export function unblockRoutes(unblocks: UnblockService): Routes {
  const routes = createRoutes();

  routes.openapi(
    route({
      method: 'post',
      path: '/',
      access: 'operator',
      summary: 'Release an address, prefix or MAC on every gateway, with proof from each',
      refuses: ['conflict'],
      request: { body: jsonBody(NewUnblock) },
      responses: { 202: json(StoredUnblock, 'On its way: `gateways` says who has proved it and who owes the answer') },
    }),
    async (context) => context.json(await unblocks.ask(context.req.valid('json'), actorOf(context)), 202),
  );

  routes.openapi(
    route({
      method: 'get',
      path: '/',
      access: 'viewer',
      summary: 'Unblocks, newest first, with the answer of each gateway',
      request: { query: z.object(pageQuery) },
      responses: { 200: json(pageSchema(StoredUnblock), 'Unblocks') },
    }),
    async (context) => {
      const page = pageRequest(context.req.valid('query'));
      return context.json(toPage(await unblocks.list(page), page.limit), 200);
    },
  );

  routes.openapi(
    route({
      method: 'get',
      path: '/{id}',
      access: 'viewer',
      summary: 'One unblock: what each gateway removed, when its kernel was read back, or why not',
      request: { params: z.object({ id: UnblockId }) },
      responses: { 200: json(StoredUnblock, 'The unblock') },
    }),
    async (context) => context.json(await unblocks.get(context.req.valid('param').id), 200),
  );

  return routes;
}
