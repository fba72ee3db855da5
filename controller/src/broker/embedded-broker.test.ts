import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { WorkingTime } from '../../../.ci/working-time.ts';
import { GatewayId } from '@picket/shared/contract/identifiers';
import { topics } from '@picket/shared/contract/topics';
import { CertificateAuthority } from '../authority/certificate-authority.ts';
import { ServerIdentity } from '../authority/server-identity.ts';
import { BrokerPeer, gatewayCredentials, openSocket } from '../testing/broker-peer.ts';
import type { GatewayCredentials } from '../testing/broker-peer.ts';
import { ConnectBound } from './connect-bound.ts';
import { EmbeddedBroker } from './embedded-broker.ts';
import { controllerCommonName } from './peer-identity.ts';

/** What happens at once may take its time on a busy machine. */
const patience = { timeout: 60_000, interval: 20 };
vi.setConfig({ testTimeout: 120_000 });

const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} } as never;
const [hall, cellar] = [GatewayId.parse('hall-1'), GatewayId.parse('cellar')];
let folder: string;
let authority: CertificateAuthority;
let identity: ServerIdentity;
let hallKeys: GatewayCredentials;
let cellarKeys: GatewayCredentials;
let broker: EmbeddedBroker;
let revoked: Set<string>;
let seen: string[];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'picket-broker-'));
  authority = await CertificateAuthority.open(folder);
  identity = await ServerIdentity.open({ folder, authority, publicHosts: [], log });
  hallKeys = await gatewayCredentials(authority, hall);
  cellarKeys = await gatewayCredentials(authority, cellar);
});
afterAll(() => {
  identity[Symbol.dispose]();
  rmSync(folder, { recursive: true, force: true });
});

beforeEach(async () => {
  [revoked, seen] = [new Set(), []];
  broker = await EmbeddedBroker.listen({
    host: '127.0.0.1',
    port: 0,
    ca: authority.certificate,
    certificates: identity,
    isInForce: async (_gateway, serial) => !revoked.has(serial),
    onGatewayConnected: (gateway) => seen.push(gateway),
    revokedSerials: async () => revoked,
    log,
  });
});
afterEach(() => broker[Symbol.asyncDispose]());

const address = () => ({ port: broker.port, ca: authority.certificate });
const asHall = (more: object = {}): BrokerPeer => BrokerPeer.open(address(), hallKeys, { clientId: hall, ...more });
const asController = (): BrokerPeer =>
  BrokerPeer.open(address(), identity.controller, { clientId: `${controllerCommonName}-1` });

test('a gateway is let in by its certificate and is heard by the controller alone', async () => {
  await using controller = asController();
  await using gateway = asHall();
  await using other = BrokerPeer.open(address(), cellarKeys, { clientId: cellar });
  expect(await Promise.all([controller.outcome(), gateway.outcome(), other.outcome()])).toEqual(
    Array(3).fill('connected'),
  );
  // told once the peer has its answer
  await vi.waitFor(() => expect(seen.toSorted()).toEqual([cellar, hall]), patience);
  await controller.client.subscribeAsync(topics.upAll, { qos: 1 });
  await gateway.client.subscribeAsync(topics.downAll(hall), { qos: 1 });
  await other.client.subscribeAsync(topics.downAll(cellar), { qos: 1 });
  await gateway.client.publishAsync(topics.up(hall, 'alerts'), 'hello', { qos: 1 });
  await vi.waitFor(
    () => expect(controller.heard).toMatchObject([{ topic: topics.up(hall, 'alerts'), text: 'hello' }]),
    patience,
  );
  await controller.client.publishAsync(topics.down(hall, 'policy'), 'for hall', { qos: 1, retain: true });
  await vi.waitFor(() => expect(gateway.heard).toHaveLength(1), patience);
  expect(other.heard).toEqual([]);
});

test.each<[string, () => BrokerPeer]>([
  ['another’s client id', () => asHall({ clientId: cellar })],
  ['a wildcard as client id', () => asHall({ clientId: '#' })],
  ['an empty client id', () => asHall({ clientId: '' })],
  ['a client id of 64 KB', () => asHall({ clientId: 'h'.repeat(60_000) })],
  ['the controller’s client id', () => asHall({ clientId: `${controllerCommonName}-1` })],
  ['a session that is kept', () => asHall({ clean: false })],
  [
    'a last will for another gateway',
    () => asHall({ will: { topic: topics.up(cellar, 'presence'), payload: Buffer.from('x'), qos: 1, retain: true } }),
  ],
  [
    'a last will on $SYS',
    () => asHall({ will: { topic: '$SYS/x', payload: Buffer.from('x'), qos: 0, retain: false } }),
  ],
  [
    'a last will that would be kept under events',
    () => asHall({ will: { topic: topics.up(hall, 'alerts'), payload: Buffer.from('x'), qos: 1, retain: true } }),
  ],
  ['a keepalive of hours', () => asHall({ keepalive: 40_000 })],
  ['no certificate', () => BrokerPeer.open(address(), undefined, { clientId: hall })],
  ['the server’s own certificate', () => BrokerPeer.open(address(), identity.server, { clientId: hall })],
])('a client with %s is not let in', async (_what, connect) => {
  await using peer = connect();
  expect(await peer.outcome()).not.toBe('connected');
  expect(broker.stats.connected).toBe(0);
});

test.each([
  topics.up(cellar, 'alerts'),
  topics.down(hall, 'policy'),
  '$SYS/broker/load',
  'picket/v1/hall-1/up/unknown',
  'a/'.repeat(40),
])('publishing on %s ends the connection and reaches nobody', async (topic) => {
  await using controller = asController();
  await controller.outcome();
  await controller.client.subscribeAsync(topics.upAll, { qos: 1 });
  await using peer = asHall();
  await peer.outcome();
  peer.client.publish(topic, 'x', { qos: 0 });
  await peer.ended;
  expect(controller.heard).toEqual([]);
});

test.each([
  '#',
  'picket/v1/+/down/+',
  topics.downAll(cellar),
  topics.upAll,
  `$share/g/${topics.downAll(hall)}`,
  '$SYS/#',
  '+/v1/hall-1/down/+',
])('subscribing to %s is refused, not silently granted', async (filter) => {
  await using peer = asHall();
  await peer.outcome();
  const answer = await peer.client.subscribeAsync(filter, { qos: 1 }).then(
    (grants) => grants[0]?.qos,
    () => 128, // the client library makes an error of it
  );
  expect(answer).toBe(128);
  expect(broker.stats.refusedTopics).toBe(1);
});

test('a retained message is not given to whoever may not hear it', async () => {
  await using controller = asController();
  await controller.outcome();
  await controller.client.publishAsync(topics.down(cellar, 'policy'), 'for cellar', { qos: 1, retain: true });
  await controller.client.publishAsync(topics.down(hall, 'policy'), 'for hall', { qos: 1, retain: true });
  await using peer = asHall();
  await peer.outcome();
  await peer.client.subscribeAsync(topics.downAll(hall), { qos: 1 });
  await vi.waitFor(() => expect(peer.heard).toMatchObject([{ text: 'for hall', retain: true }]), patience);
});

test('a revoked certificate is refused, a connection that holds one is ended within five seconds', async () => {
  await using peer = asHall();
  expect(await peer.outcome()).toBe('connected');
  revoked.add(hallKeys.serial);
  using working = WorkingTime.start();
  await peer.ended;
  expect(working.ms).toBeLessThan(5000);
  await using again = asHall();
  expect(await again.outcome()).toMatch(/Not authorized/i);
});

test('the last will of a vanished gateway is told; after a goodbye there is none', async () => {
  await using controller = asController();
  await controller.outcome();
  await controller.client.subscribeAsync(topics.upAll, { qos: 1 });
  const will = { topic: topics.up(hall, 'presence'), payload: Buffer.from('gone'), qos: 1 as const, retain: true };
  const first = asHall({ will });
  await first.outcome();
  await first.client.endAsync(false);
  const second = asHall({ will });
  await second.outcome();
  second.client.stream.destroy();
  await vi.waitFor(() => expect(controller.heard).toMatchObject([{ text: 'gone' }]), patience);
});

test('a packet larger than any of ours ends the connection before it is kept', async () => {
  const socket = openSocket(address(), hallKeys);
  await once(socket, 'secureConnect');
  socket.on('error', () => {});
  socket.write(Buffer.from([0x10, 0xff, 0xff, 0xff, 0x7f])); // CONNECT of 256 MB
  socket.resume();
  await once(socket, 'close');
  expect(broker.stats.connected).toBe(0);
});

test('ten thousand mutated packets leave the broker serving', { timeout: 60_000 }, async () => {
  const connect = Buffer.from([0x10, 18, 0, 4, 77, 81, 84, 84, 4, 2, 0, 30, 0, 6, ...Buffer.from('hall-1')]);
  let state = 42;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % below;
  };
  const round = async (): Promise<void> => {
    const socket = openSocket(address(), hallKeys);
    socket.on('error', () => {});
    await once(socket, 'secureConnect');
    socket.resume();
    for (let count = 0; count < 250 && !socket.destroyed; count += 1) {
      const packet = Buffer.concat([connect, Buffer.from([0x30, random(40), 0, random(30), 0x82, random(20), 0, 1])]);
      for (let flips = random(6); flips >= 0; flips -= 1) packet[random(packet.length)] = random(256);
      socket.write(packet);
    }
    socket.end();
    await Promise.race([once(socket, 'close'), new Promise((resolve) => setTimeout(resolve, 200))]);
    socket.destroy();
  };
  for (let rounds = 0; rounds < 40; rounds += 1) await round();
  await using other = BrokerPeer.open(address(), cellarKeys, { clientId: cellar });
  expect(await other.outcome()).toBe('connected');
});

test('a gateway that connects in a loop is kept out for the rest of the minute', () => {
  let now = 0;
  const bound = new ConnectBound({ limit: 3, windowMs: 60_000, now: () => now });
  expect([1, 2, 3, 4, 5].map(() => bound.admit('a'))).toEqual([true, true, true, false, false]);
  expect(bound.admit('b')).toBe(true);
  now = 60_000;
  expect(bound.admit('a')).toBe(true);
});
