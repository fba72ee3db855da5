/** The fleet as the API shows it: `/api/v1/gateways`, and how a host becomes part of it. */
import { z } from '@hono/zod-openapi';
import {
  EnrolmentTokenMade,
  GatewayChange,
  GatewayStatus,
  HealthMinute,
  NewEnrolmentToken,
  StoredGateway,
} from '@picket/shared/contract/stored-gateway';
import { GatewayId } from '@picket/shared/contract/identifiers';
import type { Context } from 'hono';
import type { Actor, AuditService } from '../audit/audit-service.ts';
import type { AuthorityService } from '../authority/authority-service.ts';
import { filter, toPage } from '../http/list-filters.ts';
import { pageQuery, pageRequest, pageSchema } from '../http/pagination.ts';
import { principalOf, type RequestContext } from '../http/request-context.ts';
import { createRoutes, route, type Routes } from '../http/route.ts';
import type { GatewayService } from './gateway-service.ts';

const Id = z.object({ id: GatewayId });

export function gatewayRoutes(gateways: GatewayService, authority: AuthorityService, audit: AuditService): Routes {
  const routes = createRoutes();

  routes.openapi(
    route({
      method: 'get',
      path: '/',
      access: 'viewer',
      summary: 'Gateways by name',
      request: { query: z.object({ ...pageQuery, status: filter(GatewayStatus) }) },
      responses: { 200: json(pageSchema(StoredGateway), 'A page of gateways') },
    }),
    async (context) => {
      const { status, ...query } = context.req.valid('query');
      const page = pageRequest(query);
      return context.json(toPage(await gateways.list({ status }, page), page.limit), 200);
    },
  );

  routes.openapi(
    route({
      method: 'post',
      path: '/enrolment-tokens',
      access: 'admin',
      summary: 'A one-time token that enrols one gateway',
      request: { body: { required: false, content: { 'application/json': { schema: NewEnrolmentToken } } } },
      responses: { 201: json(EnrolmentTokenMade, 'The token; it is shown only here') },
    }),
    async (context) => {
      const { gateway_id, lifetime_seconds } = NewEnrolmentToken.parse(context.req.valid('json') ?? {});
      const actor = actorOf(context);
      const made = await authority.createToken({
        gatewayId: gateway_id,
        lifetimeSeconds: lifetime_seconds,
        createdBy: actor.username,
      });
      await audit.record({
        actor,
        what: 'enrolment.create',
        onWhat: `enrolment ${made.id}`,
        after: { gateway_id, expires_at: made.expires_at },
      });
      return context.json({ ...made, command: enrolCommand(made.token, gateway_id) }, 201);
    },
  );

  routes.openapi(
    route({
      method: 'get',
      path: '/{id}',
      access: 'viewer',
      summary: 'One gateway: presence, health, twin, losses',
      request: { params: Id },
      responses: { 200: json(StoredGateway, 'The gateway') },
    }),
    async (context) => {
      const gateway = await gateways.get(context.req.valid('param').id);
      context.header('etag', etagOf(gateway));
      return context.json(gateway, 200);
    },
  );

  routes.openapi(
    route({
      method: 'get',
      path: '/{id}/health',
      access: 'viewer',
      summary: 'Health of a gateway minute by minute, newest first, at most one day',
      request: {
        params: Id,
        query: z.object({
          minutes: z.coerce.number().int().min(1).max(1440).default(60).describe('The latest so many.'),
        }),
      },
      responses: { 200: json(z.object({ items: z.array(HealthMinute) }), 'Minutes') },
    }),
    async (context) => {
      const { minutes } = context.req.valid('query');
      return context.json({ items: await gateways.healthHistory(context.req.valid('param').id, minutes) }, 200);
    },
  );

  routes.openapi(
    route({
      method: 'patch',
      path: '/{id}',
      access: 'admin',
      summary: 'Change what is wanted of a gateway; If-Match guards against overwriting',
      refuses: ['precondition-failed'],
      request: {
        params: Id,
        headers: z.object({
          'if-match': z
            .string()
            .max(100)
            .optional()
            .describe('ETag of the gateway as it was read; left out: whatever is there is changed.'),
        }),
        body: { content: { 'application/json': { schema: GatewayChange } } },
      },
      responses: { 200: json(StoredGateway, 'The gateway; `twin` shows when it has the change') },
    }),
    async (context) => {
      const { id } = context.req.valid('param');
      const seen = context.req.valid('header')['if-match'];
      const change = context.req.valid('json');
      const gateway = await gateways.change(
        id,
        change,
        seen === undefined ? undefined : seenAt(seen),
        actorOf(context),
      );
      context.header('etag', etagOf(gateway));
      return context.json(gateway, 200);
    },
  );

  routes.openapi(
    route({
      method: 'delete',
      path: '/{id}',
      access: 'admin',
      summary: 'Revoke a gateway: its connection is dropped and its certificates are refused from now on',
      request: { params: Id },
      responses: { 204: { description: 'Revoked; its history stays' } },
    }),
    async (context) => {
      await gateways.revoke(context.req.valid('param').id, actorOf(context));
      return context.body(null, 204);
    },
  );

  return routes;
}

/** What to type on the gateway. */
export function enrolCommand(token: string, gateway: GatewayId | null): string {
  return `picket-agent enroll --token ${token}${gateway === null ? '' : ` --gateway-id ${gateway}`}`;
}

function etagOf(gateway: StoredGateway): string {
  return `"${Date.parse(gateway.updated_at)}"`;
}

function seenAt(etag: string): string {
  const time = Number(/^(?:W\/)?"(\d{1,15})"$/.exec(etag)?.[1]);
  return Number.isNaN(time) ? 'never' : new Date(time).toISOString();
}

function actorOf(context: Context<RequestContext>): Actor {
  return { username: principalOf(context).username, address: context.var.address };
}

function json<T extends z.ZodType>(schema: T, description: string) {
  return { description, content: { 'application/json': { schema } } };
}
