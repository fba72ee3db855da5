/** The whole controller's route table against what it says of itself. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { Role, roleAtLeast } from '@picket/shared/contract/access';
import { Problem } from '@picket/shared/contract/problem';
import { startTestController, type TestController } from '../testing/test-controller.ts';
import { accessMember, type Access } from './route.ts';

vi.setConfig({ testTimeout: 120_000 });

const Document = z.looseObject({
  openapi: z.literal('3.1.0'),
  paths: z.record(
    z.string(),
    z.record(
      z.string(),
      z.looseObject({
        operationId: z.string(),
        responses: z.record(z.string(), z.unknown()),
        parameters: z
          .array(z.looseObject({ in: z.string(), name: z.string(), description: z.string().optional() }))
          .default([]),
      }),
    ),
  ),
});

interface Operation {
  readonly method: string;
  readonly path: string;
  readonly access: Access | undefined;
  readonly responses: readonly string[];
  readonly operationId: string;
  readonly parameters: readonly {
    readonly in: string;
    readonly name: string;
    readonly description?: string | undefined;
  }[];
}

let picket: TestController;
let operations: readonly Operation[];

beforeAll(async () => {
  picket = await startTestController();
  const document = Document.parse(await (await picket.fetch('/openapi.json')).json());
  operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      access: operation[accessMember] as Access | undefined,
      responses: Object.keys(operation.responses),
      operationId: operation.operationId,
      parameters: operation.parameters,
    })),
  );
});

afterAll(() => picket[Symbol.asyncDispose]());

test('SEC-25 the OpenAPI document holds exactly the routes that are served', () => {
  const served = picket.controller.app.routes
    .filter(({ method }) => method !== 'ALL')
    .map(({ method, path }) => `${method} ${path.replaceAll(/:([a-z_]+)/g, '{$1}')}`);
  const withoutSlash = (name: string): string => name.replace(/(?<=\w)\/$/, '');
  expect([...new Set(served.map(withoutSlash))].toSorted()).toEqual(
    operations.map(({ method, path }) => withoutSlash(`${method} ${path}`)).toSorted(),
  );
});

test('SEC-01 every route declares who may use it, and says how it refuses', () => {
  expect(operations.length).toBeGreaterThan(40);
  for (const { method, path, access, responses } of operations) {
    expect(['public', 'signed-in', ...Role.options], `${method} ${path}`).toContain(access);
    expect(responses, `${method} ${path}`).toContain('default');
  }
});

test('every operation has a name of its own, and says what its parameters mean', () => {
  const names = operations.map(({ operationId }) => operationId);
  expect(new Set(names).size).toBe(names.length);
  expect(names).toContain('getAlertsId');
  for (const { method, path, parameters } of operations) {
    const unexplained = parameters.filter((one) => one.in !== 'path' && one.description === undefined);
    expect(unexplained, `${method} ${path}`).toEqual([]);
  }
});

test('every list with a cursor can also be counted through', () => {
  const lists = operations.filter(({ parameters }) => parameters.some(({ name }) => name === 'cursor'));
  expect(lists.length).toBeGreaterThan(8);
  for (const { method, path, parameters } of lists) {
    const names = parameters.map(({ name }) => name);
    expect(names, `${method} ${path}`).toEqual(expect.arrayContaining(['limit', 'skip', 'page', 'size']));
  }
});

test('only log-in, health and the reference are public', () => {
  const open = operations.filter(({ access }) => access === 'public').map(({ method, path }) => `${method} ${path}`);
  expect(open.toSorted()).toEqual([
    'GET /',
    'GET /api/v1/health',
    'GET /assets/docs.js',
    'GET /assets/scalar.js',
    'GET /docs',
    'GET /health',
    'GET /healthz',
    'GET /openapi.json',
    'GET /readyz',
    'POST /api/v1/auth/login',
    'POST /api/v1/auth/refresh',
    'POST /api/v1/auth/token',
  ]);
});

describe('SEC-01 route by role', () => {
  const call = async (operation: Operation, role: Role | undefined): Promise<Response> => {
    const path = operation.path.replaceAll(/\{[^}]+\}/g, '019abcde-0000-7000-8000-000000000000');
    const init: RequestInit = { method: operation.method };
    if (operation.method !== 'GET') {
      init.body = '{}';
      init.headers = { 'content-type': 'application/json' };
    }
    return role === undefined ? picket.fetch(path, init) : (await picket.as(role)).fetch(path, init);
  };

  test('without a credential everything that is not public answers 401 as a problem', async () => {
    for (const operation of operations.filter(({ access }) => access !== 'public')) {
      const answer = await call(operation, undefined);
      expect(answer.status, `${operation.method} ${operation.path}`).toBe(401);
      expect(answer.headers.get('www-authenticate')).toBe('Bearer');
      expect(Problem.parse(await answer.json()).code).toBe('unauthorized');
    }
  });

  test.each(Role.options)('%s may do what the role allows, and nothing else', async (role) => {
    for (const operation of operations) {
      const { access, method, path } = operation;
      if (access === 'public' || access === undefined || path.endsWith('/logout')) continue;
      const answer = await call(operation, role);
      const allowed = access === 'signed-in' || roleAtLeast(role, access);
      if (allowed) expect([401, 403], `${role} ${method} ${path}`).not.toContain(answer.status);
      else expect(answer.status, `${role} ${method} ${path}`).toBe(403);
      expect(answer.status, `${role} ${method} ${path}`).toBeLessThan(500);
      expect(operation.responses, `${role} ${method} ${path}: says so`).toContain(String(answer.status));
    }
  });
});
