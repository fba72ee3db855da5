/** Devices: `/api/v1/devices`. */
import { z } from '@hono/zod-openapi';
import {
  Device,
  DeviceChange,
  DeviceLiveStatus,
  DeviceStats,
  DeviceStatus,
  DeviceType,
  NewDevice,
  TrafficSourceInput,
} from '@picket/shared/contract/device';
import { DeviceId, GatewayId } from '@picket/shared/contract/identifiers';
import { filter, json, jsonBody, text, toPage } from '../http/list-filters.ts';
import { pageQuery, pageRequest, pageSchema } from '../http/pagination.ts';
import { actorOf } from '../http/request-context.ts';
import { createRoutes, route, type Routes } from '../http/route.ts';
import type { DeviceService } from './device-service.ts';

const params = z.object({ id: DeviceId });
const Monitoring = z.strictObject({ traffic_source: TrafficSourceInput.optional() });

export function deviceRoutes(devices: DeviceService): Routes {
  const routes = createRoutes();

  routes.openapi(
    route({
      method: 'get',
      path: '/',
      access: 'viewer',
      summary: 'Devices, newest first',
      request: {
        query: z.object({
          ...pageQuery,
          status: filter(DeviceStatus),
          type: filter(DeviceType),
          gateway: filter(GatewayId),
          search: text('A part of its name, address, MAC or description.'),
        }),
      },
      responses: { 200: json(pageSchema(Device), 'Devices') },
    }),
    async (context) => {
      const query = context.req.valid('query');
      const page = pageRequest(query);
      return context.json(toPage(await devices.list(query, page), page.limit), 200);
    },
  );

  routes.openapi(
    route({
      method: 'post',
      path: '/',
      access: 'operator',
      summary: 'Register a device before a gateway discovers it, or without one',
      refuses: ['conflict'],
      request: { body: jsonBody(NewDevice) },
      responses: { 201: json(Device, 'The device') },
    }),
    async (context) => context.json(await devices.create(context.req.valid('json'), actorOf(context)), 201),
  );

  routes.openapi(
    route({
      method: 'get',
      path: '/{id}',
      access: 'viewer',
      summary: 'One device',
      request: { params },
      responses: { 200: json(Device, 'The device') },
    }),
    async (context) => context.json(await devices.get(context.req.valid('param').id), 200),
  );

  for (const method of ['put', 'patch'] as const) {
    routes.openapi(
      route({
        method,
        path: '/{id}',
        access: 'operator',
        summary: 'Change any part of a device',
        refuses: ['conflict'],
        request: { params, body: jsonBody(DeviceChange) },
        responses: { 200: json(Device, 'The device') },
      }),
      async (context) => {
        const { id } = context.req.valid('param');
        return context.json(await devices.update(id, context.req.valid('json'), actorOf(context)), 200);
      },
    );
  }

  routes.openapi(
    route({
      method: 'delete',
      path: '/{id}',
      access: 'admin',
      summary: 'Delete a device with its flows and predictions; alerts and decisions stay',
      request: { params },
      responses: { 204: { description: 'Deleted' } },
    }),
    async (context) => {
      await devices.delete(context.req.valid('param').id, actorOf(context));
      return context.body(null, 204);
    },
  );

  for (const [path, monitored] of [
    ['/{id}/start', true],
    ['/{id}/stop', false],
  ] as const) {
    routes.openapi(
      route({
        method: 'post',
        path,
        access: 'operator',
        summary: monitored ? 'Have its gateway watch a device' : 'Have its gateway leave a device alone',
        refuses: ['conflict'],
        request: { params, body: { ...jsonBody(Monitoring), required: false } },
        responses: { 202: json(Device, 'Wanted; the gateway follows with its next policy') },
      }),
      async (context) => {
        const { id } = context.req.valid('param');
        const source = context.req.valid('json').traffic_source;
        return context.json(await devices.setMonitoring(id, monitored, source, actorOf(context)), 202);
      },
    );
  }

  routes.openapi(
    route({
      method: 'get',
      path: '/{id}/status',
      access: 'viewer',
      summary: 'What a device does now, and whether it is watched as wanted',
      request: { params },
      responses: { 200: json(DeviceLiveStatus, 'Status') },
    }),
    async (context) => context.json(await devices.liveStatus(context.req.valid('param').id), 200),
  );

  routes.openapi(
    route({
      method: 'get',
      path: '/{id}/stats',
      access: 'viewer',
      summary: 'Figures of a device since midnight UTC',
      request: { params },
      responses: { 200: json(DeviceStats, 'Figures') },
    }),
    async (context) => context.json(await devices.stats(context.req.valid('param').id), 200),
  );

  return routes;
}
