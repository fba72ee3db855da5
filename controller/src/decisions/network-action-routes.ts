/** The first API's words for decisions, kept for its clients: `/api/v1/network`. */
import { z } from '@hono/zod-openapi';
import { IpAddress, Port } from '@picket/shared/contract/address';
import { DecisionId } from '@picket/shared/contract/identifiers';
import { Duration, NetworkAction, NewDecision, type StoredDecision } from '@picket/shared/contract/stored-decision';
import { flag, json, jsonBody } from '../http/list-filters.ts';
import { pageOf, pageQuery, pageRequest, pageSchema } from '../http/pagination.ts';
import { actorOf } from '../http/request-context.ts';
import { createRoutes, route, type Routes } from '../http/route.ts';
import type { DecisionService } from './decision-service.ts';

const Reason = z.string().trim().min(1).max(500).default('blocked by an analyst');
const BlockIp = z.strictObject({ ip: IpAddress, duration: Duration.default(3600), reason: Reason });
const BlockPort = z.strictObject({
  port: Port.min(1),
  protocol: z.enum(['tcp', 'udp']).default('tcp'),
  duration: Duration.default(3600),
  reason: Reason,
});
const Unblocked = z.object({ success: z.boolean(), message: z.string() });

export function networkActionRoutes(decisions: DecisionService): Routes {
  const routes = createRoutes();

  routes.openapi(
    route({
      method: 'post',
      path: '/block-ip',
      access: 'operator',
      summary: 'Same as POST /decisions with scope ip',
      refuses: ['conflict'],
      request: { body: jsonBody(BlockIp) },
      responses: { 202: json(NetworkAction, 'On its way') },
    }),
    async (context) => {
      const { ip, duration, reason } = context.req.valid('json');
      const input = NewDecision.parse({ scope: 'ip', value: ip, duration, reason });
      return context.json(toAction(await decisions.add(input, actorOf(context))), 202);
    },
  );

  routes.openapi(
    route({
      method: 'post',
      path: '/block-port',
      access: 'operator',
      summary: 'Same as POST /decisions with scope port',
      refuses: ['conflict'],
      request: { body: jsonBody(BlockPort) },
      responses: { 202: json(NetworkAction, 'On its way') },
    }),
    async (context) => {
      const { port, protocol, duration, reason } = context.req.valid('json');
      const input = NewDecision.parse({ scope: 'port', value: `${protocol}/${port}`, duration, reason });
      return context.json(toAction(await decisions.add(input, actorOf(context))), 202);
    },
  );

  routes.openapi(
    route({
      method: 'delete',
      path: '/unblock/{action_id}',
      access: 'operator',
      summary: 'Same as DELETE /decisions/{id}',
      request: { params: z.object({ action_id: DecisionId.describe('Id of the decision.') }) },
      responses: { 202: json(Unblocked, 'On its way') },
    }),
    async (context) => {
      const lifted = await decisions.lift(context.req.valid('param').action_id, actorOf(context));
      return context.json({ success: true, message: `${lifted.value} is being unblocked` }, 202);
    },
  );

  routes.openapi(
    route({
      method: 'get',
      path: '/actions',
      access: 'viewer',
      summary: 'Same as GET /decisions',
      request: { query: z.object({ ...pageQuery, active_only: flag.describe('Left out: true.') }) },
      responses: { 200: json(pageSchema(NetworkAction), 'Actions, newest first') },
    }),
    async (context) => {
      const { active_only: activeOnly, ...query } = context.req.valid('query');
      const page = pageRequest(query);
      const entries = await decisions.list(activeOnly === false ? {} : { active: true }, page);
      return context.json(
        pageOf(
          entries,
          page.limit,
          (entry) => entry.key,
          (entry) => toAction(entry.item),
        ),
        200,
      );
    },
  );

  return routes;
}

function toAction(decision: StoredDecision): NetworkAction {
  const where = decision.gateways.map(({ gateway_id, state }) => `${gateway_id} ${state}`).join(', ');
  return {
    success: true,
    action_id: decision.id,
    action_type: `${decision.action}_${decision.scope}`,
    target_value: decision.value,
    message: `${decision.value}: ${where}`,
    executed_at: decision.created_at,
    expires_at: decision.expires_at,
  };
}
