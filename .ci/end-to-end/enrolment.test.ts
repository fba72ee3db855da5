/** The agent's own enrolment and renewal against the controller's own authority, over real TLS. */
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { formatEnrolmentToken, parseEnrolmentToken } from '../../shared/src/contract/enrolment-token.ts';
import { GatewayId } from '../../shared/src/contract/identifiers.ts';
import { askDoor } from '../../agent/src/identity/door-client.ts';
import { createCertificateRequest } from '../../agent/src/identity/certificate-request.ts';
import { CertificateRenewal } from '../../agent/src/identity/certificate-renewal.ts';
import { certificateLife, identityPath, loadIdentity } from '../../agent/src/identity/gateway-identity.ts';
import { hall, quiet, startAgent, TestFleet } from './test-fleet.ts';

vi.setConfig({ testTimeout: 240_000 });

let place: TestFleet;
beforeEach(async () => {
  place = await TestFleet.start();
});
afterEach(() => place[Symbol.asyncDispose]());

test('a token makes a gateway: key and certificate on its disk, for its owner only', async () => {
  const identity = await place.enrolAs(hall, await place.token());
  expect(loadIdentity(join(place.folder, hall))).toEqual(identity);
  expect(statSync(identityPath(join(place.folder, hall))).mode & 0o777).toBe(0o600);
  expect(await place.fleet.gateways.get(hall)).toMatchObject({
    status: 'offline',
    mode: 'simulate',
    agent_version: '0.1.0',
  });
});

test('of fifty who use one token at once, one gets in', async () => {
  const text = await place.token();
  const results = await Promise.allSettled(
    Array.from({ length: 50 }, (_, index) => place.enrolAs(GatewayId.parse(`racer-${index}`), text)),
  );
  expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
  for (const result of results)
    if (result.status === 'rejected') expect(String(result.reason)).toMatch(/the token was used at|overtaken/);
  expect(await place.fleet.gateways.enrolled()).toHaveLength(1);
});

test('each way an enrolment can fail says what to do', async () => {
  await expect(place.enrolAs(hall, 'pk1.nonsense')).rejects.toMatchObject({ code: 'usage' });
  const text = await place.token();
  const parsed = parseEnrolmentToken(text);
  if (parsed === undefined) throw new Error('no token');
  await expect(place.enrolAs(hall, formatEnrolmentToken({ ...parsed, secret: 'A'.repeat(43) }))).rejects.toThrow(
    /did not make this token/,
  );
  await expect(place.enrolAs(hall, formatEnrolmentToken({ ...parsed, caFingerprint: '0'.repeat(64) }))).rejects.toThrow(
    /is not the controller that made this token/,
  );
  await expect(
    place.enrolAs(hall, formatEnrolmentToken({ ...parsed, url: 'https://127.0.0.1:1' })),
  ).rejects.toMatchObject({
    code: 'unavailable',
  });
  const ended = await place.token(null, -1);
  await expect(place.enrolAs(hall, ended)).rejects.toThrow(/the token expired at/);
  const forAnother = await place.token(GatewayId.parse('cellar'));
  await expect(place.enrolAs(hall, forAnother)).rejects.toThrow(/for the gateway cellar, not for hall-1/);
  await place.enrolAs(hall, text);
  await expect(place.enrolAs(hall, await place.token())).rejects.toThrow(/enrolled already as hall-1.*--replace/);
  await expect(place.enrolAs(hall, await place.token(), { name: 'elsewhere' })).rejects.toThrow(/is known already/);
  await expect(place.enrolAs(hall, await place.token(hall), { replace: true })).resolves.toMatchObject({
    gateway_id: hall,
  });
});

test('a server that is not the controller never gets to see the secret', async () => {
  await using other = await TestFleet.start();
  const text = await place.token();
  const parsed = parseEnrolmentToken(text);
  if (parsed === undefined) throw new Error('no token');
  const impostor = formatEnrolmentToken({ ...parsed, url: `https://127.0.0.1:${other.fleet.doors.https.port}` });
  await expect(place.enrolAs(hall, impostor)).rejects.toThrow(/nothing was sent to it/);
  await place.enrolAs(hall, text); // still unused
});

test('a certificate is renewed by itself with a new key, and the new one opens the doors', async () => {
  const identity = await place.enrolAs(hall, await place.token());
  await using renewal = CertificateRenewal.start(identity, { stateDir: join(place.folder, hall), log: quiet });
  const { fromMs, toMs } = certificateLife(identity);
  await renewal.renewIfDue(fromMs + 0.5 * (toMs - fromMs));
  expect(renewal.current).toEqual(identity);
  await renewal.renewIfDue(fromMs + 0.7 * (toMs - fromMs));
  expect(renewal.current.private_key).not.toBe(identity.private_key);
  expect(loadIdentity(join(place.folder, hall))).toEqual(renewal.current);
  await using agent = startAgent(renewal.current);
  await place.statusIs('online');
  expect(agent.link.connected).toBe(true);
});

test('the door wants a certificate where it matters, and names what is wrong with a request', async () => {
  const identity = await place.enrolAs(hall, await place.token());
  const ask = (method: 'GET' | 'POST', path: string, body?: object) =>
    askDoor({
      ...place.fleet.doors.https,
      method,
      path,
      ...(body && { body }),
      ca: identity.ca,
      maxBytes: 1e5,
      timeoutMs: 60_000,
    });
  expect((await ask('GET', '/api/v1/agent/decisions')).status).toBe(401);
  const { csr } = await createCertificateRequest(hall);
  expect((await ask('POST', '/api/v1/agent/certificate', { csr })).status).toBe(401);
  const bad = await ask('POST', '/api/v1/enrol', { token: 'x', csr });
  expect(bad.status).toBe(422);
  expect(JSON.parse(bad.body)).toMatchObject({
    code: 'invalid-input',
    errors: expect.arrayContaining([expect.objectContaining({ pointer: '/token' })]),
  });
  expect((await ask('POST', '/api/v1/enrol', { token: 'x'.repeat(50_000) })).status).toBe(413);
  expect((await ask('GET', '/api/v1/gateways')).status).toBe(404);
});

test('a damaged identity is named, with what to do', async () => {
  await place.enrolAs(hall, await place.token());
  const path = identityPath(join(place.folder, hall));
  writeFileSync(path, '{"gateway_id":"hall-1"}');
  expect(() => loadIdentity(join(place.folder, hall))).toThrow(/is damaged: enrol again/);
});
