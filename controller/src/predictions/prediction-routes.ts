/** Predictions: `/api/v1/predictions`. */
import { z } from '@hono/zod-openapi';
import { DeviceId, GatewayId, PredictionId } from '@picket/shared/contract/identifiers';
import { PredictionLabel } from '@picket/shared/contract/prediction';
import { PredictionExplanation, PredictionStats, StoredPrediction } from '@picket/shared/contract/stored-prediction';
import { NotFound } from '../errors.ts';
import { filter, json, timeQuery, timeSpan, toPage } from '../http/list-filters.ts';
import { pageQuery, pageRequest, pageSchema } from '../http/pagination.ts';
import { createRoutes, route, type Routes } from '../http/route.ts';
import type { PredictionService } from './prediction-service.ts';

const listQuery = {
  ...pageQuery,
  ...timeQuery,
  label: filter(PredictionLabel),
  min_score: z.coerce.number().min(0).max(1).optional().describe('Score of at least this, 0 to 1.'),
  gateway: filter(GatewayId),
};
const ListQuery = z.object({ ...listQuery, device_id: filter(DeviceId) });

export function predictionRoutes(
  predictions: PredictionService,
  deviceExists: (id: DeviceId) => Promise<boolean>,
): Routes {
  const routes = createRoutes();
  const list = async (query: z.output<typeof ListQuery>) => {
    const page = pageRequest(query);
    const { label, min_score: minScore, gateway, device_id: device } = query;
    const wanted = { ...timeSpan(query, new Date()), label, minScore, gateway, device };
    return toPage(await predictions.list(wanted, page), page.limit);
  };

  routes.openapi(
    route({
      method: 'get',
      path: '/',
      access: 'viewer',
      summary: 'Predictions, newest first: those of episodes, and a sample of the rest',
      request: { query: ListQuery },
      responses: { 200: json(pageSchema(StoredPrediction), 'Predictions') },
    }),
    async (context) => context.json(await list(context.req.valid('query')), 200),
  );

  routes.openapi(
    route({
      method: 'get',
      path: '/stats',
      access: 'viewer',
      summary: 'How many predictions the gateways made, and how many of them were attacks',
      request: { query: z.object({ ...timeQuery, gateway: filter(GatewayId) }) },
      responses: { 200: json(PredictionStats, 'Figures') },
    }),
    async (context) => {
      const query = context.req.valid('query');
      const span = timeSpan(query, new Date(), '24h');
      return context.json(await predictions.stats({ ...span, gateway: query.gateway }), 200);
    },
  );

  // The first API listed a device's predictions under the path that names a prediction here: a device's id is taken too.
  routes.openapi(
    route({
      method: 'get',
      path: '/{id}',
      access: 'viewer',
      summary: 'One prediction; with the id of a device its predictions, as GET /predictions?device_id=',
      request: { params: z.object({ id: z.uuid() }), query: z.object(listQuery) },
      responses: { 200: json(z.union([StoredPrediction, pageSchema(StoredPrediction)]), 'The prediction, or a list') },
    }),
    async (context) => {
      const { id } = context.req.valid('param');
      try {
        return context.json(await predictions.get(id as PredictionId), 200);
      } catch (error) {
        if (!(error instanceof NotFound)) throw error;
      }
      const page = await list({ ...context.req.valid('query'), device_id: id as DeviceId });
      if (page.items.length === 0 && !(await deviceExists(id as DeviceId))) {
        throw new NotFound('neither a prediction nor a device has this id');
      }
      return context.json(page, 200);
    },
  );

  routes.openapi(
    route({
      method: 'get',
      path: '/{id}/explain',
      access: 'viewer',
      summary: 'Why: the features and the flows of the window that moved the score most',
      request: { params: z.object({ id: PredictionId }) },
      responses: { 200: json(PredictionExplanation, 'Explanation') },
    }),
    async (context) => context.json(await predictions.explain(context.req.valid('param').id), 200),
  );

  return routes;
}
