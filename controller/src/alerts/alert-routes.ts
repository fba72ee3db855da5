/** Alerts: `/api/v1/alerts`. */
import { z } from '@hono/zod-openapi';
import { AlertStatus, AlertType, Severity } from '@picket/shared/contract/alert';
import { AlertId, DeviceId, GatewayId } from '@picket/shared/contract/identifiers';
import {
  Acknowledgement,
  AlertChange,
  AlertDetail,
  AlertStats,
  Resolution,
  StoredAlert,
} from '@picket/shared/contract/stored-alert';
import { TrafficClass } from '@picket/shared/features/traffic-classes';
import { bucketFor } from '../dashboard/time-buckets.ts';
import { filter, flag, json, jsonBody, text, timeQuery, timeSpan, toPage } from '../http/list-filters.ts';
import { pageQuery, pageRequest, pageSchema } from '../http/pagination.ts';
import { actorOf } from '../http/request-context.ts';
import { createRoutes, route, type Routes } from '../http/route.ts';
import type { AlertFiguresService } from './alert-figures-service.ts';
import type { AlertService } from './alert-service.ts';

const params = z.object({ id: AlertId });
const filters = {
  severity: filter(Severity),
  attack_type: filter(TrafficClass),
  status: filter(AlertStatus),
  alert_type: filter(AlertType),
  device_id: filter(DeviceId),
  gateway: filter(GatewayId),
  acknowledged: flag,
  search: text("A part of its message, or of its device's name or address."),
};
const ListQuery = z.object({ ...pageQuery, ...timeQuery, ...filters });

export function alertRoutes(alerts: AlertService, figures: AlertFiguresService): Routes {
  const routes = createRoutes();

  routes.openapi(
    route({
      method: 'get',
      path: '/',
      access: 'viewer',
      summary: 'Alerts, what asked for eyes last (`raised_at`) first',
      request: { query: ListQuery },
      responses: { 200: json(pageSchema(StoredAlert), 'Alerts that were going on within the time asked for') },
    }),
    async (context) => {
      const query = context.req.valid('query');
      const page = pageRequest(query);
      return context.json(toPage(await alerts.list(wanted(query), page), page.limit), 200);
    },
  );

  routes.openapi(
    route({
      method: 'get',
      path: '/unread-count',
      access: 'viewer',
      summary: 'How many alerts nobody has acknowledged',
      responses: { 200: json(z.object({ count: z.int() }), 'Count') },
    }),
    async (context) => context.json({ count: await figures.countUnread() }, 200),
  );

  routes.openapi(
    route({
      method: 'get',
      path: '/stats',
      access: 'viewer',
      summary: 'Alerts by type, class, severity, status and time',
      request: { query: z.object({ ...timeQuery, gateway: filters.gateway, device_id: filters.device_id }) },
      responses: { 200: json(AlertStats, 'Figures') },
    }),
    async (context) => {
      const { gateway, device_id: device, ...query } = context.req.valid('query');
      const now = new Date();
      const span = timeSpan(query, now, '24h');
      return context.json(await figures.stats({ ...span, gateway, device }, bucketFor(span, now)), 200);
    },
  );

  routes.openapi(
    route({
      method: 'get',
      path: '/{id}',
      access: 'viewer',
      summary: 'One alert with evidence, explanation, decisions, history and related alerts',
      request: { params },
      responses: { 200: json(AlertDetail, 'The alert') },
    }),
    async (context) => context.json(await alerts.get(context.req.valid('param').id), 200),
  );

  routes.openapi(
    route({
      method: 'patch',
      path: '/{id}',
      access: 'operator',
      summary: 'Set status, assignee, severity or tags',
      refuses: ['conflict'],
      request: { params, body: jsonBody(AlertChange) },
      responses: { 200: json(StoredAlert, 'The alert') },
    }),
    async (context) => {
      const { id } = context.req.valid('param');
      return context.json(await alerts.change(id, context.req.valid('json'), actorOf(context)), 200);
    },
  );

  for (const method of ['patch', 'post'] as const) {
    routes.openapi(
      route({
        method,
        path: '/{id}/acknowledge',
        access: 'operator',
        summary: 'Say that you have seen it; repeatable',
        refuses: ['conflict'],
        request: { params, body: { ...jsonBody(Acknowledgement), required: false } },
        responses: { 200: json(StoredAlert, 'The alert') },
      }),
      async (context) => {
        const { id } = context.req.valid('param');
        return context.json(await alerts.acknowledge(id, context.req.valid('json'), actorOf(context)), 200);
      },
    );
  }

  routes.openapi(
    route({
      method: 'post',
      path: '/{id}/resolve',
      access: 'operator',
      summary: 'Close it: as resolved until its attack comes back, or as a false positive, which stays closed',
      refuses: ['conflict'],
      request: { params, body: { ...jsonBody(Resolution), required: false } },
      responses: { 200: json(z.object({ message: z.string(), alert: StoredAlert }), 'The alert') },
    }),
    async (context) => {
      const { id } = context.req.valid('param');
      const input = Resolution.parse(context.req.valid('json'));
      const alert = await alerts.resolve(id, input, actorOf(context));
      return context.json({ message: `alert closed as ${alert.status}`, alert }, 200);
    },
  );

  return routes;
}

function wanted(query: z.output<typeof ListQuery>) {
  const { severity, status, gateway, acknowledged, search } = query;
  return {
    ...timeSpan(query, new Date()),
    severity,
    status,
    gateway,
    acknowledged,
    search,
    attackType: query.attack_type,
    alertType: query.alert_type,
    device: query.device_id,
  };
}
