/** Log-in and sessions through the real door, on both databases. */
import { readFileSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SignJWT, generateKeyPair, importJWK, type JWK } from 'jose';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { TokenPair, User } from '@picket/shared/contract/access';
import { describeOnBothDatabases, type TestDatabase } from '../../../.ci/both-databases.ts';
import { logIn, startTestController, testPassword, type TestController } from '../testing/test-controller.ts';

const system = { username: 'system', address: null };

describeOnBothDatabases('sessions', (open) => {
  let place: TestDatabase;
  let picket: TestController;
  beforeAll(async () => {
    place = await open();
    picket = await startTestController({ databaseUrl: place.url });
  });
  afterAll(async () => {
    await picket[Symbol.asyncDispose]();
    await place[Symbol.asyncDispose]();
  });

  const post = (path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
    picket.fetch(path, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json', ...headers },
    });
  const bearer = (token: string): RequestInit => ({ headers: { authorization: `Bearer ${token}` } });
  const me = (token: string): Promise<Response> => picket.fetch('/api/v1/auth/me', bearer(token));
  const person = async (username: string, email: string | null = null): Promise<User> =>
    picket.controller.access.users.create({ username, email, password: testPassword, role: 'viewer' }, system);

  test('by user name, by e-mail address and by the OAuth form', async () => {
    await person('grace', 'Grace@Example.net');
    const byName = await post('/api/v1/auth/login', { username: 'Grace', password: testPassword });
    expect(byName.status).toBe(200);
    const pair = TokenPair.parse(await byName.json());
    expect(pair).toMatchObject({ token_type: 'bearer', expires_in: 600, user: { username: 'grace', role: 'viewer' } });
    expect((await post('/api/v1/auth/login', { email: 'grace@example.net', password: testPassword })).status).toBe(200);
    const form = await picket.fetch('/api/v1/auth/token', {
      method: 'POST',
      body: new URLSearchParams({ grant_type: 'password', username: 'grace', password: testPassword }),
    });
    expect(form.status).toBe(200);
    const profile = await me(pair.access_token);
    expect(User.parse(await profile.json())).toMatchObject({ username: 'grace', email: 'grace@example.net' });
  });

  test('SEC-04 a wrong password, an unknown name and a lock look the same', async () => {
    await person('linus');
    const answers = [];
    for (const [username, password] of [
      ['linus', 'wrong password'],
      ['nobody', 'wrong password'],
      ...Array.from({ length: 4 }, () => ['linus', 'wrong again'] as const),
      ['linus', testPassword], // right, but the account rests
    ]) {
      const answer = await post('/api/v1/auth/login', { username, password });
      const { detail, code } = (await answer.json()) as { detail: string; code: string };
      answers.push(`${answer.status} ${code} ${detail}`);
    }
    expect(new Set(answers).size).toBe(1);
    expect(answers[0]).toMatch(/^401 unauthorized Incorrect email or password/);
  });

  test('SEC-03 no answer carries a password, a hash or a key', async () => {
    const { access_token } = await logIn(picket.url, 'admin', testPassword);
    const text = await (await me(access_token)).text();
    expect(text).not.toMatch(/password|hash|argon2/);
  });

  test('SEC-07 a refresh token works once; a second use ends the session', async () => {
    const first = await logIn(picket.url, 'admin', testPassword);
    const second = await post('/api/v1/auth/refresh', { refresh_token: first.refresh_token });
    expect(second.status).toBe(200);
    const pair = TokenPair.parse(await second.json());
    expect(pair.refresh_token).not.toBe(first.refresh_token);
    expect((await me(pair.access_token)).status).toBe(200);
    expect((await post('/api/v1/auth/refresh', { refresh_token: first.refresh_token })).status).toBe(401);
    expect((await me(pair.access_token)).status).toBe(401);
    expect((await post('/api/v1/auth/refresh', { refresh_token: pair.refresh_token })).status).toBe(401);
  });

  test('SEC-07 of fifty uses at once one wins', async () => {
    const { refresh_token } = await logIn(picket.url, 'admin', testPassword);
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => post('/api/v1/auth/refresh', { refresh_token })),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(49);
  });

  test('an access token is no refresh token, and the other way round', async () => {
    const pair = await logIn(picket.url, 'admin', testPassword);
    expect((await post('/api/v1/auth/refresh', { refresh_token: pair.access_token.slice(0, 200) })).status).toBe(401);
    expect((await me(pair.refresh_token)).status).toBe(401);
  });

  test('SEC-09 the refresh cookie is for our own pages only', async () => {
    const answer = await post('/api/v1/auth/login', { username: 'admin', password: testPassword });
    const cookie = answer.headers.get('set-cookie') ?? '';
    expect(cookie).toMatch(/^__Host-picket_refresh=/);
    for (const attribute of ['HttpOnly', 'Secure', 'SameSite=Strict', 'Path=/']) expect(cookie).toContain(attribute);
    const sent = { cookie: cookie.split(';')[0] ?? '' };
    const foreign = await post('/api/v1/auth/refresh', {}, { ...sent, origin: 'https://evil.example' });
    expect(foreign.status).toBe(403);
    const own = await post('/api/v1/auth/refresh', {}, { ...sent, origin: picket.url });
    expect(own.status).toBe(200);
    expect((await post('/api/v1/auth/refresh', {})).status).toBe(401);
  });

  test('log-out ends the access token and the refresh token', async () => {
    const pair = await logIn(picket.url, 'admin', testPassword);
    const out = await picket.fetch('/api/v1/auth/logout', { method: 'POST', ...bearer(pair.access_token) });
    expect(out.status).toBe(200);
    expect((await me(pair.access_token)).status).toBe(401);
    expect((await post('/api/v1/auth/refresh', { refresh_token: pair.refresh_token })).status).toBe(401);
  });

  test('a new password ends the other sessions and needs the old one', async () => {
    await person('barbara');
    const here = await logIn(picket.url, 'barbara', testPassword);
    const elsewhere = await logIn(picket.url, 'barbara', testPassword);
    const change = (old_password: string, new_password: string): Promise<Response> =>
      picket.fetch('/api/v1/auth/me/password', {
        method: 'PUT',
        body: JSON.stringify({ old_password, new_password }),
        headers: { 'content-type': 'application/json', authorization: `Bearer ${here.access_token}` },
      });
    expect((await change('not it', 'another good password')).status).toBe(422);
    expect((await change(testPassword, 'short')).status).toBe(422);
    expect((await change(testPassword, 'barbara is my name')).status).toBe(422);
    expect((await change(testPassword, 'another good password')).status).toBe(204);
    expect((await me(here.access_token)).status).toBe(200);
    expect((await me(elsewhere.access_token)).status).toBe(401);
    await expect(logIn(picket.url, 'barbara', testPassword)).rejects.toThrow('401');
    await logIn(picket.url, 'barbara', 'another good password');
  });

  test('what people did is in the audit log, without secrets, in an unbroken chain', async () => {
    const { audit, database } = picket.controller;
    await audit.record({
      actor: { username: 'eve\u001B[2J\nroot', address: null },
      what: 'test.secret',
      onWhat: 'x',
      after: { nested: { password: 'hunter2', api_token: 't' } },
    });
    const entries = await database.reader.selectFrom('audit_log').selectAll().orderBy('sequence').execute();
    const kinds = new Set(entries.map(({ what }) => what));
    for (const kind of [
      'user.create',
      'session.login',
      'session.login-refused',
      'user.lock',
      'session.logout',
      'session.refresh-reuse',
      'user.password',
    ]) {
      expect(kinds, kind).toContain(kind);
    }
    expect(JSON.stringify(entries)).not.toMatch(/hunter2|correct horse|argon2/);
    expect(entries.at(-1)?.who).toBe('eve�[2J�root');
    expect(await audit.verify()).toEqual({ entries: entries.length, brokenAt: undefined });
  });

  test('SEC-24 many entries at once still make one chain', async () => {
    const { audit } = picket.controller;
    const before = await audit.verify();
    await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        audit.record({ actor: system, what: 'test.race', onWhat: `x ${index}` }),
      ),
    );
    expect(await audit.verify()).toEqual({ entries: before.entries + 40, brokenAt: undefined });
  });
});

describe('access tokens', () => {
  let picket: TestController;
  beforeAll(async () => {
    picket = await startTestController();
  });
  afterAll(() => picket[Symbol.asyncDispose]());

  const keyFile = (): string => join(picket.dataDir, 'access-token-key.json');
  const status = async (token: string): Promise<number> =>
    (await picket.fetch('/api/v1/auth/me', { headers: { authorization: `Bearer ${token}` } })).status;

  test('SEC-25 the key is readable by its owner only', () => {
    expect(statSync(keyFile()).mode & 0o777).toBe(0o600);
  });

  test('SEC-06 CVE-2026-22817 other algorithms, keys, types, audiences and times are refused', async () => {
    const { access_token } = await logIn(picket.url, 'admin', testPassword);
    expect(await status(access_token)).toBe(200);
    const [header = '', payload = '', signature = ''] = access_token.split('.');
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>;
    const protectedHeader = JSON.parse(Buffer.from(header, 'base64url').toString()) as {
      alg: string;
      kid: string;
      typ: string;
    };
    const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const own = JSON.parse(readFileSync(keyFile(), 'utf8')) as JWK;
    const ownKey = await importJWK(own, 'EdDSA');
    const stranger = await generateKeyPair('EdDSA', { crv: 'Ed25519' });
    const sign = (
      changes: Record<string, unknown>,
      headerChanges: Record<string, unknown> = {},
      key: Parameters<SignJWT['sign']>[0] = ownKey,
    ): Promise<string> =>
      new SignJWT({ ...claims, ...changes }).setProtectedHeader({ ...protectedHeader, ...headerChanges }).sign(key);

    expect(await status(await sign({}))).toBe(200); // the forge itself works: what is refused below is refused for its content
    const refused = {
      'alg none': `${encode({ ...protectedHeader, alg: 'none' })}.${payload}.`,
      'HS256 with the public key': await sign({}, { alg: 'HS256' }, new TextEncoder().encode(own.x ?? '')),
      'another key': await sign({}, {}, stranger.privateKey),
      'unknown kid': await sign({}, { kid: 'other' }),
      'another typ': await sign({}, { typ: 'JWT' }),
      'another audience': await sign({ aud: 'else' }),
      'another issuer': await sign({ iss: 'else' }),
      over: await sign({ exp: Math.floor(Date.now() / 1000) - 1 }),
      'no end': await sign({ exp: undefined }),
      'no session': await sign({ sid: undefined }),
      'a person of another session': await sign({ sub: '019abcde-0000-7000-8000-000000000000' }),
      'changed payload': `${header}.${encode({ ...claims, sub: 'x' })}.${signature}`,
      nonsense: 'a.b.c',
    };
    for (const [what, token] of Object.entries(refused)) expect(await status(token), what).toBe(401);
  });

  test('a second start makes no second admin and accepts earlier tokens', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'picket-restart-'));
    onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
    const first = await startTestController({ dataDir });
    const { access_token } = await logIn(first.url, 'admin', testPassword);
    await first[Symbol.asyncDispose]();
    await using second = await startTestController({ dataDir, config: { admin_password: 'quite another one' } });
    const answer = await second.fetch('/api/v1/auth/me', { headers: { authorization: `Bearer ${access_token}` } });
    expect(answer.status).toBe(200);
    await expect(logIn(second.url, 'admin', 'quite another one')).rejects.toThrow('401');
  });
});
