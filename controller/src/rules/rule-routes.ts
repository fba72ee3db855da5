/** Prevention rules: `/api/v1/prevention/rules`. */
import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { RuleId } from '@picket/shared/contract/identifiers';
import { DryRunRequest, RuleDryRun } from '@picket/shared/contract/rule-dry-run';
import { NewRule, RuleChange, StoredRule } from '@picket/shared/contract/stored-rule';
import { entityTag, expectedVersion } from '../http/entity-tag.ts';
import { json, jsonBody, toPage } from '../http/list-filters.ts';
import { pageQuery, pageRequest, pageSchema, writeCursor } from '../http/pagination.ts';
import { actorOf, principalOf, type RequestContext } from '../http/request-context.ts';
import { createRoutes, route, type Routes } from '../http/route.ts';
import type { DryRunService } from './dry-run-service.ts';
import type { RuleService } from './rule-service.ts';

const params = z.object({ id: RuleId });
const headers = z.object({
  'if-match': z
    .string()
    .optional()
    .describe('ETag of the rule as it was read, or `*` for whatever is there; required.'),
});
const Toggle = z.strictObject({ is_enabled: z.boolean().optional() });

export function ruleRoutes(rules: RuleService, dryRuns: DryRunService): Routes {
  const routes = createRoutes();
  const tagged = (context: Context<RequestContext>, rule: StoredRule): StoredRule => {
    context.header('etag', entityTag(rule.version));
    return shown(context, rule);
  };

  routes.openapi(
    route({
      method: 'get',
      path: '/',
      access: 'viewer',
      summary: 'Prevention rules, newest first',
      request: { query: z.object(pageQuery) },
      responses: { 200: json(pageSchema(StoredRule), 'Rules') },
    }),
    async (context) => {
      const page = pageRequest(context.req.valid('query'));
      const entries = (await rules.list(page)).map(({ key, item }) => ({ key, item: shown(context, item) }));
      return context.json(toPage(entries, page.limit), 200);
    },
  );

  routes.openapi(
    route({
      method: 'post',
      path: '/',
      access: 'admin',
      summary: 'Add a rule; it goes out in waves, as `/rollouts` shows',
      refuses: ['conflict'],
      request: { body: jsonBody(NewRule) },
      responses: { 201: json(StoredRule, 'The rule') },
    }),
    async (context) =>
      context.json(tagged(context, await rules.create(context.req.valid('json'), actorOf(context))), 201),
  );

  routes.openapi(
    route({
      method: 'post',
      path: '/dry-run',
      access: 'operator',
      summary:
        'What a rule would have restricted in the last days, how often, and how much of it people called wrong since',
      request: { query: z.object(pageQuery), body: jsonBody(DryRunRequest) },
      refuses: ['not-found'],
      responses: { 200: json(RuleDryRun, 'Restrictions, most often first; the summary is of all pages') },
    }),
    async (context) => {
      const page = pageRequest(context.req.valid('query'));
      const { next, ...found } = await dryRuns.run(context.req.valid('json'), page);
      return context.json({ ...found, next_cursor: next === null ? null : writeCursor(next) }, 200);
    },
  );

  routes.openapi(
    route({
      method: 'get',
      path: '/{id}',
      access: 'viewer',
      summary: 'One rule, with its ETag',
      request: { params },
      responses: { 200: json(StoredRule, 'The rule') },
    }),
    async (context) => context.json(tagged(context, await rules.get(context.req.valid('param').id)), 200),
  );

  for (const method of ['put', 'patch'] as const) {
    routes.openapi(
      route({
        method,
        path: '/{id}',
        access: 'admin',
        summary: 'Change any part of a rule',
        refuses: ['conflict', 'precondition-failed', 'precondition-required'],
        request: { params, headers, body: jsonBody(RuleChange) },
        responses: { 200: json(StoredRule, 'The rule') },
      }),
      async (context) => {
        const { id } = context.req.valid('param');
        const version = expectedVersion(context.req.valid('header')['if-match']);
        const rule = await rules.update(id, context.req.valid('json'), version, actorOf(context));
        return context.json(tagged(context, rule), 200);
      },
    );
  }

  routes.openapi(
    route({
      method: 'delete',
      path: '/{id}',
      access: 'admin',
      summary: 'Delete a rule; decisions it made run their time',
      refuses: ['precondition-failed', 'precondition-required'],
      request: { params, headers },
      responses: { 204: { description: 'Deleted' } },
    }),
    async (context) => {
      const version = expectedVersion(context.req.valid('header')['if-match']);
      await rules.delete(context.req.valid('param').id, version, actorOf(context));
      return context.body(null, 204);
    },
  );

  routes.openapi(
    route({
      method: 'post',
      path: '/{id}/toggle',
      access: 'admin',
      summary: 'Switch a rule on or off; with is_enabled repeatable',
      request: { params, body: { ...jsonBody(Toggle), required: false } },
      responses: { 200: json(StoredRule, 'The rule') },
    }),
    async (context) => {
      const { is_enabled: isEnabled } = context.req.valid('json');
      const rule = await rules.toggle(context.req.valid('param').id, isEnabled, actorOf(context));
      return context.json(tagged(context, rule), 200);
    },
  );

  return routes;
}

/** The address of a webhook often holds its secret: who is no admin sees where it goes, and no more. */
function shown(context: Context<RequestContext>, rule: StoredRule): StoredRule {
  if (rule.webhook_url === null || principalOf(context).role === 'admin') return rule;
  return { ...rule, webhook_url: `${new URL(rule.webhook_url).origin}/…` };
}
