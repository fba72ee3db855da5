/** Whether the process lives (`/healthz`), can work (`/readyz`), and what it is (`/`, `/health`). */
import { z } from '@hono/zod-openapi';
import { createRoutes, route, type Routes } from './route.ts';

/** A part without which the controller cannot do its work; rejects with the reason where it is away. */
export interface HealthCheck {
  readonly name: string;
  check(): Promise<void>;
}

export interface About {
  readonly version: string;
}

const checkTimeoutMs = 2000;

const Health = z.object({ status: z.literal('healthy'), version: z.string() });
const Part = z.object({ name: z.string(), ok: z.boolean(), milliseconds: z.number() });
const Readiness = z.object({ ready: z.boolean(), parts: z.array(Part) });

export function healthRoutes(about: About, checks: readonly HealthCheck[]): Routes {
  const routes = createRoutes();
  const alive = { 200: { description: 'The process lives', content: { 'application/json': { schema: Health } } } };
  for (const path of ['/healthz', '/health', '/api/v1/health'] as const) {
    routes.openapi(route({ method: 'get', path, access: 'public', summary: 'Alive', responses: alive }), (context) =>
      context.json({ status: 'healthy' as const, version: about.version }, 200),
    );
  }
  routes.openapi(
    route({
      method: 'get',
      path: '/readyz',
      access: 'public',
      summary: 'Ready: database and broker answer, and the disk has room',
      responses: {
        200: { description: 'Every part answers', content: { 'application/json': { schema: Readiness } } },
        503: { description: 'A part is away', content: { 'application/json': { schema: Readiness } } },
      },
    }),
    async (context) => {
      const parts = await Promise.all(checks.map(tryOne));
      const failed = parts.filter(({ reason }) => reason !== undefined);
      for (const { name, reason } of failed) context.var.log.info({ part: name, reason: String(reason) }, 'not ready');
      const ready = failed.length === 0;
      const shown = parts.map(({ name, ok, milliseconds }) => ({ name, ok, milliseconds }));
      return context.json({ ready, parts: shown }, ready ? 200 : 503);
    },
  );
  routes.openapi(
    route({
      method: 'get',
      path: '/',
      access: 'public',
      summary: 'What this is',
      responses: {
        200: {
          description: 'Name and where the reference is',
          content: { 'application/json': { schema: z.object({ message: z.string(), docs: z.string() }) } },
        },
      },
    }),
    (context) => context.json({ message: `Picket controller ${about.version}`, docs: '/docs' }, 200),
  );
  return routes;
}

/** The reason goes to the log only: it may name hosts and users. */
async function tryOne(part: HealthCheck): Promise<z.infer<typeof Part> & { reason?: unknown }> {
  const { name } = part;
  const startedAt = performance.now();
  const elapsed = (): number => Math.round(performance.now() - startedAt);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${checkTimeoutMs} ms`)), checkTimeoutMs);
  });
  try {
    await Promise.race([part.check(), late]);
    return { name, ok: true, milliseconds: elapsed() };
  } catch (error) {
    return { name, ok: false, milliseconds: elapsed(), reason: error };
  } finally {
    clearTimeout(timer);
  }
}
