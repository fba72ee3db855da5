/** The agent's own enrolment, link and outbox against the controller's own authority, broker and twin, over real TLS. */
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { EventBatch, EventBody } from '../../shared/src/contract/envelope.ts';
import { formatEnrolmentToken, parseEnrolmentToken } from '../../shared/src/contract/enrolment-token.ts';
import { GatewayId, newId } from '../../shared/src/contract/identifiers.ts';
import type { BootId, DecisionId } from '../../shared/src/contract/identifiers.ts';
import { askDoor } from '../../agent/src/identity/door-client.ts';
import { createCertificateRequest } from '../../agent/src/identity/certificate-request.ts';
import { CertificateRenewal } from '../../agent/src/identity/certificate-renewal.ts';
import { enrol } from '../../agent/src/identity/enrol.ts';
import { certificateLife, identityPath, loadIdentity } from '../../agent/src/identity/gateway-identity.ts';
import type { GatewayIdentity } from '../../agent/src/identity/gateway-identity.ts';
import { MqttControllerLink } from '../../agent/src/report/mqtt-controller-link.ts';
import { OutboxSender } from '../../agent/src/report/outbox-sender.ts';
import { Outbox } from '../../agent/src/report/outbox.ts';
import { ReconnectPace } from '../../agent/src/report/reconnect-pace.ts';
import { decision } from '../../agent/src/testing/decisions.ts';
import { AuditRepository } from '../../controller/src/audit/audit-repository.ts';
import { AuditService } from '../../controller/src/audit/audit-service.ts';
import { openDatabase } from '../../controller/src/database/database.ts';
import type { Database } from '../../controller/src/database/database.ts';
import { Fleet } from '../../controller/src/fleet.ts';
import type { FleetOptions } from '../../controller/src/fleet.ts';
import type { RawEventBatch } from '../../controller/src/broker/message-router.ts';
import { LiveFeed } from '../../controller/src/live/live-feed.ts';
import { eventually } from '../../models/range/running-program.ts';

const quiet = Object.fromEntries(
  ['trace', 'debug', 'info', 'warn', 'error', 'fatal'].map((level) => [level, () => {}]),
) as unknown as FleetOptions['log'];
const hall = GatewayId.parse('hall-1');
const actor = { username: 'test', address: null };

let folder: string;
let database: Database;
let fleet: Fleet;
let stored: { gateway: string; seq: number; event: unknown }[];

async function startFleet(ports = { https: 0, mqtt: 0 }): Promise<Fleet> {
  const started = await Fleet.open({
    config: {
      data_dir: join(folder, 'controller'),
      public_host: [],
      agents_https: { host: '127.0.0.1', port: ports.https },
      mqtt: { host: '127.0.0.1', port: ports.mqtt },
    },
    database,
    audit: new AuditService(new AuditRepository(database)),
    live: new LiveFeed(),
    log: quiet,
  });
  await started.start({
    ingest: async (gateway, batch: RawEventBatch) => {
      for (const event of batch.events) stored.push({ gateway, seq: event.seq, event: event['event'] });
      return { epoch: batch.epoch, channel: batch.channel, upto: batch.events.at(-1)?.seq ?? 0 };
    },
    rulesFor: async () => [],
    unmonitoredBy: async () => [],
    unblocksOwedBy: async () => [],
  });
  return started;
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'picket-fleet-'));
  database = await openDatabase({ file: join(folder, 'picket.db') });
  await database.migrate();
  stored = [];
  fleet = await startFleet();
});

afterEach(async () => {
  await fleet[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

async function token(gatewayId: GatewayId | null = null, lifetimeSeconds = 60): Promise<string> {
  return (await fleet.authority.createToken({ gatewayId, lifetimeSeconds, createdBy: 'test' })).token;
}

function enrolAs(
  gatewayId: GatewayId,
  text: string,
  more: { replace?: boolean; name?: string } = {},
): Promise<GatewayIdentity> {
  return enrol({
    token: text,
    gatewayId,
    stateDir: join(folder, more.name ?? gatewayId),
    replace: more.replace ?? false,
    controllerUrl: undefined,
    agentVersion: '0.1.0',
  });
}

interface Agent extends AsyncDisposable {
  readonly link: MqttControllerLink;
  readonly policies: string[];
  readonly decisions: string[];
  readonly disconnects: string[];
}

function startAgent(identity: GatewayIdentity, sender?: () => OutboxSender): Agent {
  const [policies, decisions, disconnects]: [string[], string[], string[]] = [[], [], []];
  const link = MqttControllerLink.start({
    identity: () => identity,
    bootId: newId() as BootId,
    agentVersion: '0.1.0',
    handlers: {
      onConnected: () => sender?.().onConnected(),
      onDisconnected: (reason) => {
        disconnects.push(reason);
        sender?.().onDisconnected();
      },
      onAck: (ack) => sender?.().onAck(ack),
      onPolicy: (jws) => policies.push(jws),
      onDecisions: (jws) => decisions.push(jws),
    },
    log: quiet,
    pace: new ReconnectPace({ firstMs: 20, maxMs: 200, refusedMs: 200 }),
  });
  return { link, policies, decisions, disconnects, [Symbol.asyncDispose]: () => link[Symbol.asyncDispose]() };
}

const statusIs = (status: string): Promise<unknown> =>
  eventually(
    async () => (await fleet.gateways.get(hall)).status,
    (now) => now === status,
    5000,
  );

test('a token makes a gateway: key and certificate on its disk, for its owner only', async () => {
  const identity = await enrolAs(hall, await token());
  expect(loadIdentity(join(folder, hall))).toEqual(identity);
  expect(statSync(identityPath(join(folder, hall))).mode & 0o777).toBe(0o600);
  expect(await fleet.gateways.get(hall)).toMatchObject({ status: 'offline', mode: 'simulate', agent_version: '0.1.0' });
});

test('of fifty who use one token at once, one gets in', async () => {
  const text = await token();
  const results = await Promise.allSettled(
    Array.from({ length: 50 }, (_, index) => enrolAs(GatewayId.parse(`racer-${index}`), text)),
  );
  expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
  for (const result of results)
    if (result.status === 'rejected') expect(String(result.reason)).toMatch(/the token was used at|overtaken/);
  expect(await fleet.gateways.enrolled()).toHaveLength(1);
});

test('each way an enrolment can fail says what to do', async () => {
  await expect(enrolAs(hall, 'pk1.nonsense')).rejects.toMatchObject({ code: 'usage' });
  const text = await token();
  const parsed = parseEnrolmentToken(text);
  if (parsed === undefined) throw new Error('no token');
  await expect(enrolAs(hall, formatEnrolmentToken({ ...parsed, secret: 'A'.repeat(43) }))).rejects.toThrow(
    /did not make this token/,
  );
  await expect(enrolAs(hall, formatEnrolmentToken({ ...parsed, caFingerprint: '0'.repeat(64) }))).rejects.toThrow(
    /is not the controller that made this token/,
  );
  await expect(enrolAs(hall, formatEnrolmentToken({ ...parsed, url: 'https://127.0.0.1:1' }))).rejects.toMatchObject({
    code: 'unavailable',
  });
  const ended = await token(null, -1);
  await expect(enrolAs(hall, ended)).rejects.toThrow(/the token expired at/);
  const forAnother = await token(GatewayId.parse('cellar'));
  await expect(enrolAs(hall, forAnother)).rejects.toThrow(/for the gateway cellar, not for hall-1/);
  await enrolAs(hall, text);
  await expect(enrolAs(hall, await token())).rejects.toThrow(/enrolled already as hall-1.*--replace/);
  await expect(enrolAs(hall, await token(), { name: 'elsewhere' })).rejects.toThrow(/is known already/);
  await expect(enrolAs(hall, await token(hall), { replace: true })).resolves.toMatchObject({ gateway_id: hall });
});

test('a server that is not the controller never gets to see the secret', async () => {
  const other = await startFleetElsewhere();
  const text = await token();
  const parsed = parseEnrolmentToken(text);
  if (parsed === undefined) throw new Error('no token');
  const impostor = formatEnrolmentToken({ ...parsed, url: `https://127.0.0.1:${other.doors.https.port}` });
  await expect(enrolAs(hall, impostor)).rejects.toThrow(/nothing was sent to it/);
  await other[Symbol.asyncDispose]();
  await enrolAs(hall, text); // still unused
});

async function startFleetElsewhere(): Promise<Fleet> {
  const before = folder;
  folder = mkdtempSync(join(tmpdir(), 'picket-fleet-'));
  try {
    return await startFleet();
  } finally {
    rmSync(folder, { recursive: true, force: true });
    folder = before;
  }
}

test('presence follows the connection: greeting and goodbye', async () => {
  const identity = await enrolAs(hall, await token());
  {
    await using agent = startAgent(identity);
    await statusIs('online');
    expect(agent.link.state).toEqual({ kind: 'connected' });
  }
  await statusIs('offline');
});

test('the will of an old connection does not undo the greeting of the new one', async () => {
  const identity = await enrolAs(hall, await token());
  await using agent = startAgent(identity);
  await statusIs('online');
  const { boot_id } = await fleet.gateways.get(hall);
  const late = { boot_id: boot_id as BootId, agent_version: '0.1.0', protocol: 1, online: false };
  await fleet.gateways.takePresence(hall, { ...late, at: new Date(Date.now() - 60_000).toISOString() });
  await fleet.gateways.takePresence(hall, { ...late, boot_id: newId() as BootId, at: new Date().toISOString() });
  expect((await fleet.gateways.get(hall)).status).toBe('online');
  expect(agent.link.connected).toBe(true);
});

test('events reach the controller once, in order, and leave the outbox only then', async () => {
  const identity = await enrolAs(hall, await token());
  using outbox = Outbox.open({ path: join(folder, 'outbox.db'), maxBytes: 1e7, maxAgeMs: 1e9, log: quiet });
  outbox.add(devices(0, 1200));
  let sender: OutboxSender | undefined = undefined;
  await using agent = startAgent(identity, () => sender as unknown as OutboxSender);
  using started = new OutboxSender({
    outbox,
    bootId: newId() as BootId,
    send: (batch: EventBatch) => agent.link.sendBatch(batch),
    log: quiet,
  });
  sender = started;
  await eventually(
    async () => outbox.stats().rows,
    (rows) => rows === 0,
    10_000,
  );
  outbox.add(devices(1200, 1300));
  started.wake();
  await eventually(
    async () => outbox.stats().rows,
    (rows) => rows === 0,
    10_000,
  );
  expect(stored.map((row) => row.seq)).toEqual(Array.from({ length: 1300 }, (_, index) => index + 1));
});

function devices(from: number, to: number): Extract<EventBody, { kind: 'device' }>[] {
  return Array.from({ length: to - from }, (_, index) => ({
    kind: 'device',
    body: {
      device: { address: `10.0.${Math.floor((from + index) / 250)}.${((from + index) % 250) + 1}`, mac: null },
      at: new Date().toISOString(),
      source: 'simulated',
    },
  }));
}

test('a revoked gateway is dropped within five seconds and stays out, at the broker and at the door', async () => {
  const identity = await enrolAs(hall, await token());
  await using agent = startAgent(identity);
  await statusIs('online');
  const revokedAt = performance.now();
  await fleet.gateways.revoke(hall, actor);
  await eventually(
    async () => agent.disconnects.length,
    (count) => count > 0,
    5000,
  );
  expect(performance.now() - revokedAt).toBeLessThan(5000);
  await eventually(
    async () => agent.link.state,
    (state) => state.kind === 'refused',
    5000,
  );
  await expect(agent.link.fetchDecisions(AbortSignal.timeout(5000))).rejects.toThrow(/403/);
  expect((await fleet.gateways.get(hall)).status).toBe('revoked');
});

test('a revocation by another controller is noticed within five seconds', async () => {
  const identity = await enrolAs(hall, await token());
  await using agent = startAgent(identity);
  await statusIs('online');
  const now = new Date().toISOString();
  await database.writer.updateTable('certificates').set({ revoked_at: now }).execute();
  await eventually(
    async () => agent.disconnects.length,
    (count) => count > 0,
    5000,
  );
  await expect(agent.link.fetchDecisions(AbortSignal.timeout(5000))).rejects.toThrow(/403/);
});

test('a gateway gets its policy at once, a new version for a change, and the same one again after a restart', async () => {
  const identity = await enrolAs(hall, await token());
  await using agent = startAgent(identity);
  const latest = async (): Promise<{ version: number; mode: string } | undefined> => payloadOf(agent.policies.at(-1));
  expect(await eventually(latest, (policy) => policy?.version === 1, 5000)).toMatchObject({
    audience: hall,
    mode: 'simulate',
  });
  await fleet.gateways.change(hall, { mode: 'enforce' }, undefined, actor);
  expect(await eventually(latest, (policy) => policy?.version === 2, 5000)).toMatchObject({ mode: 'enforce' });
  const { https, mqtt } = fleet.doors;
  await fleet[Symbol.asyncDispose]();
  agent.policies.length = 0;
  fleet = await startFleet({ https: https.port, mqtt: mqtt.port });
  expect(await eventually(latest, (policy) => policy !== undefined, 10_000)).toMatchObject({
    version: 2,
    mode: 'enforce',
  });
});

test('decisions go out as deltas, the head tells a gateway that comes back, the snapshot holds what holds', async () => {
  const identity = await enrolAs(hall, await token());
  const first = decision({ value: '192.0.2.1' });
  const second = decision({ value: '192.0.2.2' });
  {
    await using agent = startAgent(identity);
    await statusIs('online');
    await fleet.twin.publish(hall, [{ op: 'add', decision: first }]);
    await fleet.twin.publish(hall, [{ op: 'add', decision: first }]); // the same again does no harm
    const delta = await eventually(
      async () => agent.decisions.map(payloadOf).find((message) => message?.['type'] === 'delta'),
      (message) => message !== undefined,
      5000,
    );
    expect(delta).toMatchObject({ from_version: 0, version: 1, changes: [{ op: 'add', decision: first }] });
  }
  await fleet.twin.publish(hall, [
    { op: 'add', decision: second },
    { op: 'delete', decision_id: first.id },
    { op: 'delete', decision_id: newId() as DecisionId },
  ]);
  await using agent = startAgent(identity);
  const head = await eventually(
    async () => agent.decisions.map(payloadOf).find((message) => message?.['type'] === 'head'),
    (message) => message !== undefined,
    5000,
  );
  expect(head).toMatchObject({ version: 4 });
  const snapshot = payloadOf(await agent.link.fetchDecisions(AbortSignal.timeout(5000)));
  expect(snapshot).toMatchObject({ type: 'snapshot', version: 4, decisions: [second] });
  expect(snapshot?.['lifted']).toHaveLength(1);
});

// eslint-disable-next-line typescript/no-explicit-any -- what came over the wire is looked at member by member
function payloadOf(jws: string | undefined): any {
  const payload = jws?.split('.')[1];
  return payload === undefined ? undefined : JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
}

test('a certificate is renewed by itself with a new key, and the new one opens the doors', async () => {
  const identity = await enrolAs(hall, await token());
  await using renewal = CertificateRenewal.start(identity, { stateDir: join(folder, hall), log: quiet });
  const { fromMs, toMs } = certificateLife(identity);
  await renewal.renewIfDue(fromMs + 0.5 * (toMs - fromMs));
  expect(renewal.current).toEqual(identity);
  await renewal.renewIfDue(fromMs + 0.7 * (toMs - fromMs));
  expect(renewal.current.private_key).not.toBe(identity.private_key);
  expect(loadIdentity(join(folder, hall))).toEqual(renewal.current);
  await using agent = startAgent(renewal.current);
  await statusIs('online');
  expect(agent.link.connected).toBe(true);
});

test('the door wants a certificate where it matters, and names what is wrong with a request', async () => {
  const identity = await enrolAs(hall, await token());
  const ask = (method: 'GET' | 'POST', path: string, body?: object) =>
    askDoor({
      ...fleet.doors.https,
      method,
      path,
      ...(body && { body }),
      ca: identity.ca,
      maxBytes: 1e5,
      timeoutMs: 5000,
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
  await enrolAs(hall, await token());
  const path = identityPath(join(folder, hall));
  writeFileSync(path, '{"gateway_id":"hall-1"}');
  expect(() => loadIdentity(join(folder, hall))).toThrow(/is damaged: enrol again/);
});
