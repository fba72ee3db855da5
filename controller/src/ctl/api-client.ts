/** The controller's HTTP API as `picketctl` uses it: a token, renewed when it is over, and refusals in plain words. */
import { TokenPair } from '@picket/shared/contract/access';
import { Problem } from '@picket/shared/contract/problem';
import { StartFailure, exitCodes, type ExitCode } from '../errors.ts';
import { readLogin, writeLogin } from './stored-login.ts';

export interface ApiAccess {
  /** From `--url` or `PICKET_URL`; undefined: where the last log-in was. */
  readonly url: string | undefined;
  /** From `PICKET_TOKEN`; undefined: the stored log-in. */
  readonly token: string | undefined;
  readonly loginFile: string;
}

export type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

const defaultUrl = 'http://127.0.0.1:8000';
const timeoutMs = 30_000;

export class ApiClient {
  readonly #access: ApiAccess;

  constructor(access: ApiAccess) {
    this.#access = access;
  }

  /** The answer's body, undefined where there is none. Throws `StartFailure` with what the controller said. */
  async call(method: Method, path: string, body?: unknown): Promise<unknown> {
    const login = await readLogin(this.#access.loginFile);
    const url = this.#access.url ?? login?.url ?? defaultUrl;
    // A stored token belongs to the controller it came from, and to no other.
    const stored = login?.url === url ? login : undefined;
    const token = this.#access.token ?? stored?.access_token;
    if (token === undefined)
      throw new StartFailure(`not logged in at ${url}; run picketctl login`, exitCodes.permission);
    const first = await send(url + path, method, body, token);
    if (first.status !== 401 || this.#access.token !== undefined || stored === undefined) return read(first);
    const renewed = await this.#refresh(url, stored.refresh_token);
    return read(await send(url + path, method, body, renewed));
  }

  /** Logs in and keeps the tokens. */
  async logIn(username: string, password: string): Promise<TokenPair> {
    const url = this.#access.url ?? defaultUrl;
    const credentials = username.includes('@') ? { email: username, password } : { username, password };
    const pair = TokenPair.parse(await read(await send(`${url}/api/v1/auth/login`, 'POST', credentials)));
    await this.#keep(url, pair);
    return pair;
  }

  async #refresh(url: string, refreshToken: string): Promise<string> {
    const answer = await send(`${url}/api/v1/auth/refresh`, 'POST', { refresh_token: refreshToken });
    if (answer.status === 401) {
      throw new StartFailure(`the log-in at ${url} is over; run picketctl login`, exitCodes.permission);
    }
    const pair = TokenPair.parse(await read(answer));
    await this.#keep(url, pair);
    return pair.access_token;
  }

  async #keep(url: string, { access_token, refresh_token }: TokenPair): Promise<void> {
    await writeLogin(this.#access.loginFile, { url, access_token, refresh_token });
  }
}

async function send(url: string, method: Method, body: unknown, token?: string): Promise<Response> {
  const headers: Record<string, string> = { accept: 'application/json' };
  if (token !== undefined) headers['authorization'] = `Bearer ${token}`;
  if (body !== undefined) headers['content-type'] = 'application/json';
  try {
    return await fetch(url, {
      method,
      headers,
      signal: AbortSignal.timeout(timeoutMs),
      redirect: 'error',
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch (error) {
    const cause = (error as Error).cause;
    const reason = cause instanceof Error ? cause.message : (error as Error).message;
    throw new StartFailure(
      `the controller at ${new URL(url).origin} does not answer (${reason}); is it running, is --url right?`,
      exitCodes.unavailable,
      { cause: error },
    );
  }
}

async function read(answer: Response): Promise<unknown> {
  if (answer.status === 204) return undefined;
  const body: unknown = await answer.json().catch(() => undefined);
  if (answer.ok) return body;
  const problem = Problem.safeParse(body);
  const text = problem.success ? problem.data.detail : `the controller answered ${answer.status}`;
  throw new StartFailure(text, exitCodeOf(answer.status));
}

function exitCodeOf(status: number): ExitCode {
  if (status === 401 || status === 403) return exitCodes.permission;
  if (status === 400 || status === 422) return exitCodes.data;
  if (status === 429 || status >= 500) return exitCodes.unavailable;
  return exitCodes.failed;
}
