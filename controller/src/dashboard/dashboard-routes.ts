/** Dashboard figures: `/api/v1/dashboard`. */
import { z } from '@hono/zod-openapi';
import { DashboardStats, DeviceHealth, TimelineBucket } from '@picket/shared/contract/dashboard';
import { DeviceId, GatewayId } from '@picket/shared/contract/identifiers';
import type { DeviceService } from '../devices/device-service.ts';
import { filter, json, timeQuery, timeSpan, toPage } from '../http/list-filters.ts';
import { pageQuery, pageRequest, pageSchema } from '../http/pagination.ts';
import { createRoutes, route, type Routes } from '../http/route.ts';
import type { DashboardService } from './dashboard-service.ts';
import { bucketFor, buckets } from './time-buckets.ts';

const gateway = filter(GatewayId);

export function dashboardRoutes(dashboard: DashboardService, devices: DeviceService): Routes {
  const routes = createRoutes();

  routes.openapi(
    route({
      method: 'get',
      path: '/stats',
      access: 'viewer',
      summary: 'How things stand',
      request: { query: z.object({ gateway }) },
      responses: { 200: json(DashboardStats, 'Figures') },
    }),
    async (context) => context.json(await dashboard.stats(context.req.valid('query').gateway), 200),
  );

  routes.openapi(
    route({
      method: 'get',
      path: '/timeline',
      access: 'viewer',
      summary: 'Scores over time, oldest first; stretches without a score are left out',
      request: {
        query: z.object({
          ...timeQuery,
          bucket: z
            .enum(Object.keys(buckets) as (keyof typeof buckets)[])
            .optional()
            .describe('Length of a stretch; left out: one that fits the span.'),
          device_id: filter(DeviceId),
          gateway,
        }),
      },
      responses: { 200: json(z.object({ items: z.array(TimelineBucket) }), 'Stretches of time') },
    }),
    async (context) => {
      const query = context.req.valid('query');
      const now = new Date();
      const span = timeSpan(query, now, '24h');
      const bucket = bucketFor(span, now, query.bucket);
      const items = await dashboard.timeline({ ...span, device: query.device_id, gateway: query.gateway }, bucket);
      return context.json({ items }, 200);
    },
  );

  routes.openapi(
    route({
      method: 'get',
      path: '/attack-distribution',
      access: 'viewer',
      summary: 'Alerts per class of attack',
      request: { query: z.object({ ...timeQuery, gateway }) },
      responses: { 200: json(z.record(z.string(), z.int()), 'Count per class') },
    }),
    async (context) => {
      const query = context.req.valid('query');
      const span = timeSpan(query, new Date(), '24h');
      return context.json(await dashboard.attackDistribution(span, query.gateway), 200);
    },
  );

  routes.openapi(
    route({
      method: 'get',
      path: '/device-health',
      access: 'viewer',
      summary: 'Each device with its status',
      request: { query: z.object({ ...pageQuery, gateway }) },
      responses: { 200: json(pageSchema(DeviceHealth), 'Devices') },
    }),
    async (context) => {
      const query = context.req.valid('query');
      const page = pageRequest(query);
      const { items, next_cursor } = toPage(await devices.list({ gateway: query.gateway }, page), page.limit);
      return context.json({ items: items.map((device) => DeviceHealth.parse(device)), next_cursor }, 200);
    },
  );

  return routes;
}
