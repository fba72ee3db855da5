/** A whole controller for tests: real sockets on free ports, a data folder that goes away with it, people of each role. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { TokenPair, type Role } from '@picket/shared/contract/access';
import { ControllerConfig } from '../config/controller-config.ts';
import { startController, type Controller } from '../controller.ts';

export interface TestController extends AsyncDisposable {
  readonly controller: Controller;
  readonly url: string;
  readonly dataDir: string;
  /** Without credential. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** As a person of this role, who is made and logged in the first time. */
  as(role: Role): Promise<Client>;
}

/** One signed-in person. */
export interface Client {
  readonly tokens: TokenPair;
  fetch(path: string, init?: RequestInit): Promise<Response>;
  get(path: string): Promise<Response>;
  /** With a JSON body. */
  send(method: 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<Response>;
}

export const testPassword = 'correct horse battery';

export interface TestControllerOptions {
  /** PostgreSQL; absent: SQLite in the data folder. */
  readonly databaseUrl?: string | undefined;
  /** Over the test's defaults: free ports, no log, generous rates. */
  readonly config?: Partial<Record<keyof ControllerConfig, unknown>>;
  /** Kept when the controller ends, so that another can be started on it. */
  readonly dataDir?: string;
}

export async function startTestController(options: TestControllerOptions = {}): Promise<TestController> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'picket-controller-')));
  const config = ControllerConfig.parse({
    data_dir: dataDir,
    database_url: options.databaseUrl,
    admin_password: testPassword,
    http: { port: 0 },
    agents_https: { port: 0 },
    mqtt: { port: 0 },
    metrics: { port: 0 },
    rate_limit: { requests_per_minute: 100_000, logins_per_minute: 10_000 },
    ...options.config,
  });
  const controller = await startController(config, pino({ level: 'silent' }));
  const clients = new Map<Role, Promise<Client>>();
  return {
    controller,
    url: controller.url,
    dataDir,
    fetch: (path, init) => fetch(controller.url + path, init),
    as: (role) => {
      const client = clients.get(role) ?? signIn(controller, role);
      clients.set(role, client);
      return client;
    },
    async [Symbol.asyncDispose]() {
      await controller[Symbol.asyncDispose]();
      if (options.dataDir === undefined) await rm(dataDir, { recursive: true });
    },
  };
}

async function signIn(controller: Controller, role: Role): Promise<Client> {
  if (role !== 'admin') {
    const actor = { username: 'system', address: null };
    await controller.access.users.create({ username: role, email: null, password: testPassword, role }, actor);
  }
  const tokens = await logIn(controller.url, role, testPassword);
  const call = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(controller.url + path, {
      ...init,
      headers: { ...(init.headers as Record<string, string>), authorization: `Bearer ${tokens.access_token}` },
    });
  return {
    tokens,
    fetch: call,
    get: (path) => call(path),
    send: (method, path, body) =>
      call(path, {
        method,
        ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      }),
  };
}

/** Logs in through the API. */
export async function logIn(url: string, username: string, password: string): Promise<TokenPair> {
  const response = await fetch(`${url}/api/v1/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username, password }),
  });
  if (response.status !== 200) throw new Error(`log-in answered ${response.status}: ${await response.text()}`);
  return TokenPair.parse(await response.json());
}
