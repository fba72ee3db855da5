/** `/openapi.json`, made of the routes themselves, and `/docs`, a reference page that loads nothing from elsewhere. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { z } from '@hono/zod-openapi';
import { createRoutes, route, type Routes } from './route.ts';

/** No inline script; the page's own style sheets are put in by its script. */
const pagePolicy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; img-src 'self' data: blob:; font-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const page = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Picket API</title>
  </head>
  <body>
    <div id="app"></div>
    <script src="/assets/scalar.js"></script>
    <script src="/assets/docs.js"></script>
  </body>
</html>
`;

const starter = `Scalar.createApiReference('#app', ${JSON.stringify({
  url: '/openapi.json',
  withDefaultFonts: false,
  telemetry: false,
  hideClientButton: true,
  showDeveloperTools: 'never',
  authentication: { preferredSecurityScheme: 'bearer' },
  agent: { disabled: true },
  mcp: { disabled: true },
})});
`;

/** `describe` is asked at each request, for the document shows every route that is mounted, these among them. */
export function openApiRoutes(describe: () => object): Routes {
  const routes = createRoutes();
  routes.openapi(
    route({
      method: 'get',
      path: '/openapi.json',
      access: 'public',
      summary: 'This API as OpenAPI 3.1',
      responses: {
        200: { description: 'OpenAPI document', content: { 'application/json': { schema: z.looseObject({}) } } },
      },
    }),
    (context) => context.json(describe() as Record<string, unknown>, 200),
  );
  routes.openapi(
    route({
      method: 'get',
      path: '/docs',
      access: 'public',
      summary: 'Reference page',
      responses: { 200: { description: 'HTML', content: { 'text/html': { schema: z.string() } } } },
    }),
    (context) => {
      context.header('content-security-policy', pagePolicy);
      return context.html(page) as never;
    },
  );
  routes.openapi(
    route({
      method: 'get',
      path: '/assets/docs.js',
      access: 'public',
      summary: 'Starts the reference page',
      responses: { 200: { description: 'JavaScript', content: { 'text/javascript': { schema: z.string() } } } },
    }),
    (context) => context.body(starter, 200, { 'content-type': 'text/javascript; charset=utf-8' }) as never,
  );
  let script: Promise<Script> | undefined;
  routes.openapi(
    route({
      method: 'get',
      path: '/assets/scalar.js',
      access: 'public',
      summary: 'Script of the reference page',
      responses: { 200: { description: 'JavaScript', content: { 'text/javascript': { schema: z.string() } } } },
    }),
    async (context) => {
      script ??= readScript();
      const { plain, gzipped, etag } = await script;
      const takesGzip = context.req.header('accept-encoding')?.includes('gzip') ?? false;
      const headers = {
        'content-type': 'text/javascript; charset=utf-8',
        'cache-control': 'public, max-age=31536000, immutable',
        vary: 'accept-encoding',
        etag,
      };
      if (context.req.header('if-none-match') === etag) return context.body(null, 304, headers) as never;
      return takesGzip
        ? (context.body(gzipped, 200, { ...headers, 'content-encoding': 'gzip' }) as never)
        : (context.body(plain, 200, headers) as never);
    },
  );
  return routes;
}

interface Script {
  readonly plain: Uint8Array<ArrayBuffer>;
  readonly gzipped: Uint8Array<ArrayBuffer>;
  readonly etag: string;
}

async function readScript(): Promise<Script> {
  const entry = createRequire(import.meta.url).resolve('@scalar/api-reference');
  const plain = new Uint8Array(await readFile(join(dirname(entry), 'browser', 'standalone.js')));
  const etag = `"${createHash('sha256').update(plain).digest('base64url').slice(0, 22)}"`;
  return { plain, gzipped: new Uint8Array(gzipSync(plain)), etag };
}
