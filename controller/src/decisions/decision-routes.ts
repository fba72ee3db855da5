/** Decisions: `/api/v1/decisions`, and the log of what became of them: `/api/v1/prevention/logs`. */
import { z } from '@hono/zod-openapi';
import { DecisionOrigin, DecisionScope } from '@picket/shared/contract/decision';
import { DecisionId, DeviceId, GatewayId, RuleId } from '@picket/shared/contract/identifiers';
import {
  DecisionExplanation,
  DecisionLogEntry,
  NewDecision,
  StoredDecision,
} from '@picket/shared/contract/stored-decision';
import { filter, flag, json, jsonBody, text, timeQuery, timeSpan, toPage } from '../http/list-filters.ts';
import { pageQuery, pageRequest, pageSchema } from '../http/pagination.ts';
import { actorOf } from '../http/request-context.ts';
import { createRoutes, route, type Routes } from '../http/route.ts';
import type { DecisionService } from './decision-service.ts';
import type { ExplanationService } from './explanation-service.ts';

const params = z.object({ id: DecisionId });

export function decisionRoutes(decisions: DecisionService, explanations: ExplanationService): Routes {
  const routes = createRoutes();

  routes.openapi(
    route({
      method: 'get',
      path: '/',
      access: 'viewer',
      summary: 'Decisions, newest first, with where each stands on every gateway',
      request: {
        query: z.object({
          ...pageQuery,
          active: flag.describe('True: neither ended nor lifted, and some gateway holds it or has not answered yet.'),
          scope: filter(DecisionScope),
          value: text('Exactly this one, in canonical text.'),
          origin: filter(DecisionOrigin),
          gateway: filter(GatewayId).describe('Those that this gateway was told of, or made.'),
          device: filter(DeviceId).describe('Those that name the device, or were made for an alert of it.'),
        }),
      },
      responses: { 200: json(pageSchema(StoredDecision), 'Decisions') },
    }),
    async (context) => {
      const query = context.req.valid('query');
      const page = pageRequest(query);
      return context.json(toPage(await decisions.list(query, page), page.limit), 200);
    },
  );

  routes.openapi(
    route({
      method: 'post',
      path: '/',
      access: 'operator',
      summary: 'Restrict an address, a prefix, a port, a device or a pair on gateways, for a time',
      refuses: ['conflict'],
      request: { body: jsonBody(NewDecision) },
      responses: { 202: json(StoredDecision, 'On its way: `gateways` says how far it is on each') },
    }),
    async (context) => context.json(await decisions.add(context.req.valid('json'), actorOf(context)), 202),
  );

  routes.openapi(
    route({
      method: 'delete',
      path: '/',
      access: 'operator',
      summary: 'Lift every active decision of one value',
      request: { query: z.object({ value: z.string().trim().min(1).max(100).describe('Exactly this one.') }) },
      refuses: ['not-found'],
      responses: { 202: json(z.object({ items: z.array(StoredDecision) }), 'On its way') },
    }),
    async (context) =>
      context.json({ items: await decisions.liftValue(context.req.valid('query').value, actorOf(context)) }, 202),
  );

  routes.openapi(
    route({
      method: 'get',
      path: '/{id}',
      access: 'viewer',
      summary: 'One decision, with where it stands on every gateway',
      request: { params },
      responses: { 200: json(StoredDecision, 'The decision') },
    }),
    async (context) => context.json(await decisions.get(context.req.valid('param').id), 200),
  );

  routes.openapi(
    route({
      method: 'get',
      path: '/{id}/explanation',
      access: 'viewer',
      summary: 'Why a decision exists, in plain words, and what would undo it',
      request: { params },
      responses: { 200: json(DecisionExplanation, 'The decision, and one line about each part of its story') },
    }),
    async (context) => context.json(await explanations.explain(context.req.valid('param').id), 200),
  );

  routes.openapi(
    route({
      method: 'delete',
      path: '/{id}',
      access: 'operator',
      summary: 'Lift a decision of any origin on every gateway; repeatable',
      request: { params },
      responses: { 202: json(StoredDecision, 'On its way: each gateway reports `retracted` when its kernel let go') },
    }),
    async (context) => context.json(await decisions.lift(context.req.valid('param').id, actorOf(context)), 202),
  );

  return routes;
}

export function preventionLogRoutes(decisions: DecisionService): Routes {
  const routes = createRoutes();

  routes.openapi(
    route({
      method: 'get',
      path: '/',
      access: 'viewer',
      summary: 'What became of decisions, step by step, newest first',
      request: {
        query: z.object({
          ...pageQuery,
          ...timeQuery,
          rule_id: filter(RuleId),
          device_id: filter(DeviceId),
          success: flag.describe('False: refused and failed steps; true: all others.'),
        }),
      },
      responses: { 200: json(pageSchema(DecisionLogEntry), 'Steps') },
    }),
    async (context) => {
      const { rule_id: rule, device_id: device, success, ...query } = context.req.valid('query');
      const page = pageRequest(query);
      const entries = await decisions.log({ ...timeSpan(query, new Date()), rule, device, success }, page);
      return context.json(toPage(entries, page.limit), 200);
    },
  );

  return routes;
}
