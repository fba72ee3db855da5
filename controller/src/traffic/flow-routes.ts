/** Flows of a device: `/api/v1/traffic`. */
import { z } from '@hono/zod-openapi';
import { DeviceId } from '@picket/shared/contract/identifiers';
import { TrafficSourceInput } from '@picket/shared/contract/device';
import { StoredFlow } from '@picket/shared/contract/stored-flow';
import { TrafficClass } from '@picket/shared/features/traffic-classes';
import { filter, flag, json, timeQuery, timeSpan, toPage } from '../http/list-filters.ts';
import { pageQuery, pageRequest, pageSchema } from '../http/pagination.ts';
import { createRoutes, route, type Routes } from '../http/route.ts';
import type { FlowService } from './flow-service.ts';

export function flowRoutes(flows: FlowService): Routes {
  const routes = createRoutes();

  routes.openapi(
    route({
      method: 'get',
      path: '/{device_id}',
      access: 'viewer',
      summary: 'Flows of a device, newest first: those of episodes, and a sample of the rest',
      request: {
        params: z.object({ device_id: DeviceId.describe('Id of the device, as /devices lists it.') }),
        query: z.object({
          ...pageQuery,
          ...timeQuery,
          source: filter(TrafficSourceInput),
          class: filter(TrafficClass).describe('Class of the worst attack prediction that saw the flow.'),
          features: flag.describe('True: with the 78 features of each.'),
        }),
      },
      responses: { 200: json(pageSchema(StoredFlow), 'Flows; with features=true the 78 numbers of each') },
    }),
    async (context) => {
      const { source, class: trafficClass, features, ...query } = context.req.valid('query');
      const page = pageRequest(query);
      const wanted = {
        ...timeSpan(query, new Date()),
        device: context.req.valid('param').device_id,
        source,
        class: trafficClass,
        features,
      };
      return context.json(toPage(await flows.list(wanted, page), page.limit), 200);
    },
  );

  return routes;
}
