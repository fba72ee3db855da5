/** What the HTTP door does with requests that are wrong, foreign, large or many. */
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { Problem } from '@picket/shared/contract/problem';
import { startTestController, testPassword, type TestController } from '../testing/test-controller.ts';

/** What happens at once may take its time on a busy machine. */
const patience = { timeout: 60_000, interval: 20 };
vi.setConfig({ testTimeout: 120_000 });

let picket: TestController;
beforeAll(async () => {
  picket = await startTestController();
});
afterAll(() => picket[Symbol.asyncDispose]());

const json = (body: string, method = 'POST'): RequestInit => ({
  method,
  body,
  headers: { 'content-type': 'application/json' },
});

async function problemOf(answer: Response): Promise<Problem> {
  expect(answer.headers.get('content-type')).toBe('application/problem+json');
  const problem = Problem.parse(await answer.json());
  expect(problem.status).toBe(answer.status);
  expect(problem.request_id).toBe(answer.headers.get('x-request-id'));
  return problem;
}

/** Bytes on the socket, as no HTTP library would send them. */
function raw(text: string): Promise<string> {
  const { hostname, port } = new URL(picket.url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.end(text));
    let answer = '';
    socket.on('data', (chunk) => (answer += chunk.toString()));
    socket.on('close', () => resolve(answer));
    socket.on('error', reject);
  });
}

describe('problems name the field', () => {
  test('in the body', async () => {
    const answer = await picket.fetch('/api/v1/auth/login', json('{"username":"ada","passwort":"x"}'));
    expect(answer.status).toBe(422);
    const problem = await problemOf(answer);
    expect(problem.errors).toContainEqual({ pointer: '/passwort', detail: 'unknown field' });
    expect(problem.errors?.map(({ pointer }) => pointer)).toContain('/password');
  });

  test('in the query', async () => {
    const answer = await (await picket.as('viewer')).get('/api/v1/alerts?limit=1001');
    expect(answer.status).toBe(422);
    expect((await problemOf(answer)).errors?.[0]?.pointer).toBe('#/query/limit');
  });

  test('a cursor that is not ours', async () => {
    const answer = await (await picket.as('viewer')).get('/api/v1/alerts?cursor=abc');
    expect(answer.status).toBe(422);
    expect((await problemOf(answer)).errors?.[0]?.pointer).toBe('#/query/cursor');
  });

  test('a choice says what would do', async () => {
    const viewer = await picket.as('viewer');
    const severity = await problemOf(await viewer.get('/api/v1/alerts?severity=wild'));
    expect(severity.detail).toBe('severity: expected one of all, low, medium, high, critical');
    const range = await problemOf(await viewer.get('/api/v1/alerts?time_range=3h'));
    expect(range.detail).toBe('time_range: expected one of all, 1h, 6h, 24h, 7d, 30d');
  });

  test('a NUL character, wherever it stands', async () => {
    const admin = await picket.as('admin');
    const pointerOf = async (answer: Response): Promise<string | undefined> => {
      expect(answer.status).toBe(422);
      return (await problemOf(answer)).errors?.[0]?.pointer;
    };
    expect(await pointerOf(await admin.get('/api/v1/alerts?search=a%00'))).toBe('#/query/search');
    const labels = { labels: { 'a/b': ['x', 'a\0b'] } };
    expect(await pointerOf(await admin.send('PATCH', '/api/v1/gateways/edge-1', labels))).toBe('/labels/a~1b/1');
    const form = { method: 'POST', body: new URLSearchParams({ username: 'a\0', password: 'x' }) };
    expect(await pointerOf(await picket.fetch('/api/v1/auth/token', form))).toBe('');
    const cursor = Buffer.from(JSON.stringify(['2026-01-01T00:00:00.000Z', 'a\0'])).toString('base64url');
    expect(await pointerOf(await admin.get(`/api/v1/alerts?cursor=${cursor}`))).toBe('#/query/cursor');
    // The six characters of the escape are a text like any other.
    const escaped = await admin.send('POST', '/api/v1/devices', { name: String.raw`\u0000` });
    expect(escaped.status).toBe(201);
  });

  test('a form is read as before, an empty body as an empty object', async () => {
    await picket.as('viewer');
    const form = new URLSearchParams({ grant_type: 'password', username: 'viewer', password: testPassword });
    expect((await picket.fetch('/api/v1/auth/token', { method: 'POST', body: form })).status).toBe(200);
    const empty = await picket.fetch('/api/v1/auth/login', json(''));
    expect((await problemOf(empty)).errors?.map(({ pointer }) => pointer)).toContain('/password');
  });

  test('broken JSON is 400, another media type 415, a missing body is refused', async () => {
    expect((await problemOf(await picket.fetch('/api/v1/auth/login', json('{"a":')))).status).toBe(400);
    const text = await picket.fetch('/api/v1/auth/login', {
      method: 'POST',
      body: 'x',
      headers: { 'content-type': 'text/plain' },
    });
    expect((await problemOf(text)).status).toBe(415);
    const nothing = await picket.fetch('/api/v1/auth/login', { method: 'POST' });
    expect([400, 415, 422]).toContain((await problemOf(nothing)).status);
  });
});

test('what is not there is 404, a wrong method 405 with those that would do', async () => {
  expect((await problemOf(await picket.fetch('/api/v1/nothing'))).code).toBe('not-found');
  const wrong = await picket.fetch('/api/v1/auth/login', { method: 'DELETE' });
  expect(wrong.status).toBe(405);
  expect(wrong.headers.get('allow')).toBe('POST');
  expect((await problemOf(wrong)).code).toBe('method-not-allowed');
});

test('a path may end with a slash', async () => {
  const viewer = await picket.as('viewer');
  expect((await viewer.get('/api/v1/alerts/')).status).toBe(200);
  expect((await viewer.get('/api/v1/alerts')).status).toBe(200);
});

test('SEC-14 a body above 1 MB is refused, with and without a declared length', async () => {
  const large = `{"username":"${'x'.repeat(1024 * 1024)}","password":"x"}`;
  expect((await picket.fetch('/api/v1/auth/login', json(large))).status).toBe(413);
  const stream = new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(large));
      controller.close();
    },
  });
  const chunked = await fetch(`${picket.url}/api/v1/auth/login`, {
    method: 'POST',
    body: stream,
    duplex: 'half',
    headers: { 'content-type': 'application/json' },
  });
  expect(chunked.status).toBe(413);
});

test('a request for a host that is not ours is misdirected', async () => {
  expect(await raw('GET /healthz HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n')).toMatch(
    /^HTTP\/1\.1 421 /,
  );
  expect(await raw('GET /healthz HTTP/1.1\r\nHost: localhost:8000\r\nConnection: close\r\n\r\n')).toMatch(
    /^HTTP\/1\.1 200 /,
  );
});

test('SEC-10 every answer carries the browser headers, and nothing of the API is kept', async () => {
  for (const path of ['/healthz', '/api/v1/nothing', '/api/v1/auth/me']) {
    const { headers } = await picket.fetch(path);
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(headers.get('content-security-policy')).not.toContain('unsafe-inline');
    expect(headers.get('x-frame-options')).toBe('DENY');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('access-control-allow-origin')).toBeNull();
  }
});

test('the reference page loads only from here, and its policy allows no inline script', async () => {
  const page = await picket.fetch('/docs');
  expect(page.headers.get('content-security-policy')).toContain("script-src 'self';");
  const html = await page.text();
  const sources = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, source]) => source);
  expect(sources).toEqual(['/assets/scalar.js', '/assets/docs.js']);
  expect(html).not.toMatch(/<script(?![^>]*src)/);
  for (const source of sources) {
    const script = await picket.fetch(source ?? '');
    expect(script.status).toBe(200);
    expect(script.headers.get('content-type')).toContain('text/javascript');
    expect((await script.text()).length).toBeGreaterThan(100);
  }
  const asset = await picket.fetch('/assets/scalar.js');
  expect(asset.headers.get('cache-control')).toContain('immutable');
  await asset.body?.cancel();
});

test('CVE: other spellings of a path reach nothing that the plain one would not', async () => {
  const spellings = [
    '//api/v1/alerts',
    '/api//v1/alerts',
    '/api/v1/%61lerts',
    '/api/v1/alerts%2f',
    '/API/v1/alerts',
    '/api/v1/./alerts',
    '/x/../api/v1/alerts',
    '/api/v1/alerts;x',
    '/assets/..%2f..%2fpackage.json',
    '/assets/%252e%252e/package.json',
    '/assets//etc/passwd',
  ];
  for (const spelling of spellings) {
    const answer = await raw(`GET ${spelling} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
    expect(answer, spelling).toMatch(/^HTTP\/1\.1 (?:400|401|404) /);
    expect(answer).not.toContain('"items"');
  }
});

test('SEC-05 too many requests are 429 with when to come back; log-in has a lower limit of its own', async () => {
  await using strict = await startTestController({
    config: { rate_limit: { requests_per_minute: 8, logins_per_minute: 2 } },
  });
  const attempts: Response[] = [];
  for (let attempt = 0; attempt < 3; attempt++) {
    attempts.push(await strict.fetch('/api/v1/auth/login', json('{"username":"admin","password":"wrong"}')));
  }
  expect(attempts.map(({ status }) => status)).toEqual([401, 401, 429]);
  expect(Number(attempts[2]?.headers.get('retry-after'))).toBeGreaterThan(0);
  expect((await problemOf(attempts[2] as Response)).code).toBe('too-many-requests');
  const form = { method: 'POST', body: new URLSearchParams({ username: 'admin', password: 'wrong' }) };
  expect((await strict.fetch('/api/v1/auth/token', form)).status).toBe(429); // no second allowance by another door
  const change = json('{"old_password":"wrong","new_password":"wrong"}', 'PUT');
  expect((await strict.fetch('/api/v1/auth/me/password', change)).status).toBe(429);
  const others: number[] = [];
  for (let attempt = 0; attempt < 8; attempt++) others.push((await strict.fetch('/healthz')).status);
  expect(others).toContain(429);
});

test('/metrics has a listener of its own', async () => {
  expect((await picket.fetch('/metrics')).status).toBe(404);
  const text = await (await fetch(picket.controller.metricsUrl ?? '')).text();
  expect(text).toMatch(/picket_controller_http_requests_total\{method="GET",route="[^"]*",status="404"\} \d+/);
  expect(text).toContain('picket_controller_build_info{version=');
  expect(text).not.toContain('/api/v1/nothing');
});

test('/readyz says which part is away; a lost database is 503 and tells nothing of itself', async () => {
  await using lost = await startTestController();
  await expect.poll(async () => (await lost.fetch('/readyz')).status, patience).toBe(200);
  const viewer = await lost.as('viewer');
  await lost.controller.database[Symbol.asyncDispose]();
  const ready = await lost.fetch('/readyz');
  expect(ready.status).toBe(503);
  expect(await ready.json()).toMatchObject({
    ready: false,
    parts: [{ name: 'database', ok: false }, { name: 'broker' }, { name: 'disk', ok: true }],
  });
  expect((await lost.fetch('/healthz')).status).toBe(200);
  const answer = await viewer.get('/api/v1/alerts');
  expect([500, 503]).toContain(answer.status);
  const text = await answer.text();
  expect(text).toContain('request_id');
  expect(text).not.toMatch(/sqlite|thread|at .*\.ts/i);
});
