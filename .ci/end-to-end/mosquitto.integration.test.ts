/** The same agent and controller over a real Mosquitto with the settings we ship. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { EventBatch } from '../../shared/src/contract/envelope.ts';
import { GatewayId, newId } from '../../shared/src/contract/identifiers.ts';
import type { BootId } from '../../shared/src/contract/identifiers.ts';
import { topics } from '../../shared/src/contract/topics.ts';
import { enrol } from '../../agent/src/identity/enrol.ts';
import type { GatewayIdentity } from '../../agent/src/identity/gateway-identity.ts';
import { MqttControllerLink } from '../../agent/src/report/mqtt-controller-link.ts';
import { proveReachable } from '../../agent/src/report/prove-reachable.ts';
import { ReconnectPace } from '../../agent/src/report/reconnect-pace.ts';
import { AuditRepository } from '../../controller/src/audit/audit-repository.ts';
import { AuditService } from '../../controller/src/audit/audit-service.ts';
import { openDatabase } from '../../controller/src/database/database.ts';
import type { Database } from '../../controller/src/database/database.ts';
import { Fleet } from '../../controller/src/fleet.ts';
import type { FleetOptions } from '../../controller/src/fleet.ts';
import { LiveFeed } from '../../controller/src/live/live-feed.ts';
import { BrokerPeer } from '../../controller/src/testing/broker-peer.ts';
import { requireSystem } from '../require-system.ts';
import { WorkingTime } from '../working-time.ts';
import { freePort } from './free-port.ts';
import { eventually } from '../../models/range/running-program.ts';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

const quiet = Object.fromEntries(
  ['trace', 'debug', 'info', 'warn', 'error', 'fatal'].map((level) => [level, () => {}]),
) as unknown as FleetOptions['log'];
const [hall, cellar] = [GatewayId.parse('hall-1'), GatewayId.parse('cellar')];
const shipped = fileURLToPath(new URL('../../deploy/mosquitto/', import.meta.url));
const path = `${process.env['PATH'] ?? ''}:/usr/sbin`;

describe.skipIf(!requireSystem('mosquitto'))('with Mosquitto as the broker', () => {
  let folder: string;
  let database: Database;
  let fleet: Fleet;
  let mosquitto: ChildProcess;
  let port: number;
  let batches: { gateway: string; batch: unknown }[];

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'picket-mosquitto-'));
    port = await freePort();
    batches = [];
    database = await openDatabase({ file: join(folder, 'picket.db') });
    await database.migrate();
    fleet = await Fleet.open({
      config: {
        data_dir: folder,
        public_host: [],
        agents_https: { host: '127.0.0.1', port: 0 },
        mqtt: { host: '127.0.0.1', port: 0, broker_url: `mqtts://127.0.0.1:${port}` },
      },
      database,
      audit: new AuditService(new AuditRepository(database)),
      live: new LiveFeed(),
      log: quiet,
    });
    await fleet.authority.writeRevocationList();
    mosquitto = await startMosquitto();
    await fleet.start({
      ingest: async (gateway, batch) => {
        batches.push({ gateway, batch });
        return { epoch: batch.epoch, channel: batch.channel, upto: batch.events.at(-1)?.seq ?? 0 };
      },
      rulesFor: async () => [],
      unmonitoredBy: async () => [],
      unblocksOwedBy: async () => [],
    });
    await eventually(
      async () => fleet.brokerConnected,
      (connected) => connected,
      60_000,
    );
  });

  afterEach(async () => {
    await fleet[Symbol.asyncDispose]();
    await database[Symbol.asyncDispose]();
    const ended = once(mosquitto, 'exit');
    mosquitto.kill('SIGTERM');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  });

  /** The shipped settings, with this test's port and paths. Root would be dropped to a user that cannot read them. */
  async function startMosquitto(): Promise<ChildProcess> {
    const settings = readFileSync(join(shipped, 'mosquitto.conf'), 'utf8')
      .replace('listener 8883 0.0.0.0', `listener ${port} 127.0.0.1`)
      .replaceAll('/etc/mosquitto/picket/picket.acl', join(folder, 'picket.acl'))
      .replaceAll('/etc/mosquitto/picket', join(folder, 'authority'));
    copyFileSync(join(shipped, 'picket.acl'), join(folder, 'picket.acl'));
    writeFileSync(join(folder, 'mosquitto.conf'), `${settings}\nuser root\nlog_type all\n`);
    const child = spawn('mosquitto', ['-c', join(folder, 'mosquitto.conf')], {
      env: { ...process.env, PATH: path },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    await eventually(
      async () => {
        if (child.exitCode !== null) throw new Error(`mosquitto ended: ${said}`);
        return isOpen(port);
      },
      (open) => open,
      60_000,
    );
    return child;
  }

  const enrolAs = async (gatewayId: GatewayId): Promise<GatewayIdentity> =>
    enrol({
      token: (await fleet.authority.createToken({ gatewayId, lifetimeSeconds: 60, createdBy: 'test' })).token,
      gatewayId,
      stateDir: join(folder, gatewayId),
      replace: false,
      controllerUrl: undefined,
      agentVersion: '0.1.0',
    });

  interface Heard {
    readonly policies: string[];
    readonly acks: unknown[];
    readonly disconnects: string[];
  }
  const startLink = (identity: GatewayIdentity, heard: Heard): MqttControllerLink =>
    MqttControllerLink.start({
      identity: () => identity,
      bootId: newId() as BootId,
      agentVersion: '0.1.0',
      log: quiet,
      pace: new ReconnectPace({ firstMs: 50, maxMs: 300, refusedMs: 300 }),
      handlers: {
        onConnected: () => {},
        onDisconnected: (reason) => heard.disconnects.push(reason),
        onAck: (ack) => heard.acks.push(ack),
        onPolicy: (jws) => heard.policies.push(jws),
        onDecisions: () => {},
      },
    });

  const batch = (): EventBatch => ({
    protocol: 1,
    epoch: newId(),
    boot_id: newId() as BootId,
    channel: 'devices',
    events: [
      {
        seq: 1,
        at: new Date().toISOString(),
        event: {
          kind: 'device',
          body: { device: { address: '10.0.0.5', mac: null }, at: new Date().toISOString(), source: 'simulated' },
        },
      },
    ],
  });

  test('a second connection proves that new ones come through, while the first one lives on', async () => {
    const identity = await enrolAs(GatewayId.parse('hall-7'));
    const heard: Heard = { policies: [], acks: [], disconnects: [] };
    await using link = startLink(identity, heard);
    await eventually(async () => link.connected, Boolean, 60_000);
    await proveReachable(identity, new AbortController().signal);
    expect([link.connected, heard.disconnects]).toEqual([true, []]);
    const nobody = { ...identity, mqtt: { ...identity.mqtt, port: 1 } };
    await expect(proveReachable(nobody, new AbortController().signal)).rejects.toThrow(/^broker: .*ECONNREFUSED/);
  });

  test('presence, policy, events and their acknowledgement go the same way', async () => {
    const heard: Heard = { policies: [], acks: [], disconnects: [] };
    {
      await using link = startLink(await enrolAs(hall), heard);
      await eventually(
        async () => (await fleet.gateways.get(hall)).status,
        (status) => status === 'online',
        60_000,
      );
      await eventually(
        async () => heard.policies.length,
        (count) => count > 0,
        60_000,
      );
      await link.sendBatch(batch());
      await eventually(
        async () => heard.acks,
        (acks) => acks.length === 1,
        60_000,
      );
      expect(batches).toMatchObject([{ gateway: hall }]);
    }
    await eventually(
      async () => (await fleet.gateways.get(hall)).status,
      (status) => status === 'offline',
      60_000,
    );
  });

  test('one gateway neither speaks as another nor hears what is meant for it', async () => {
    const [hallIdentity, cellarIdentity] = [await enrolAs(hall), await enrolAs(cellar)];
    const heard: Heard = { policies: [], acks: [], disconnects: [] };
    await using _link = startLink(hallIdentity, heard);
    await eventually(
      async () => heard.policies.length,
      (count) => count > 0,
      60_000,
    );
    const keys = { key: cellarIdentity.private_key, certificate: cellarIdentity.certificate };
    const spies: BrokerPeer[] = [];
    await using closing = new AsyncDisposableStack();
    /** What it tries is followed by a message of its own: once that is through, the trial was judged. */
    const tryAsCellar = async (attempt: (spy: BrokerPeer) => void): Promise<'judged' | 'thrown out'> => {
      const clientId = `${cellar}-${spies.length}`;
      const spy = closing.use(BrokerPeer.open({ port, ca: cellarIdentity.ca }, keys, { clientId }));
      expect(await spy.outcome()).toBe('connected');
      spies.push(spy);
      attempt(spy);
      const judged = spy.client
        .publishAsync(topics.up(cellar, 'health'), 'no health', { qos: 1 })
        .then(() => 'judged' as const);
      return Promise.race([judged, spy.ended.then(() => 'thrown out' as const)]);
    };
    for (const filter of ['#', topics.downAll(hall), `$share/g/${topics.downAll(hall)}`, 'picket/v1/+/down/+'])
      expect(await tryAsCellar((spy) => spy.client.subscribe(filter, { qos: 1 }))).toBe('judged');
    for (const topic of [topics.up(hall, 'devices'), topics.down(hall, 'policy')])
      expect(await tryAsCellar((spy) => spy.client.publish(topic, JSON.stringify(batch()), { qos: 1 }))).toBe(
        'thrown out',
      );
    const before = heard.policies.length;
    await fleet.gateways.change(hall, { mode: 'observe' }, undefined, { username: 'test', address: null });
    await eventually(
      async () => heard.policies.length,
      (count) => count > before,
      60_000,
    );
    expect(heard.policies).not.toContain('forged');
    expect(spies.flatMap((spy) => spy.heard).filter(({ topic }) => topic !== topics.down(cellar, 'policy'))).toEqual(
      [],
    );
    expect(batches).toEqual([]);
  });

  test('a revoked gateway is pushed out within five seconds, and stays out once the revocation list is read', async () => {
    const heard: Heard = { policies: [], acks: [], disconnects: [] };
    await using link = startLink(await enrolAs(hall), heard);
    await eventually(
      async () => (await fleet.gateways.get(hall)).status,
      (status) => status === 'online',
      60_000,
    );
    using working = WorkingTime.start();
    await fleet.gateways.revoke(hall, { username: 'test', address: null });
    await eventually(
      async () => heard.disconnects.length,
      (count) => count > 0,
      60_000,
    );
    expect(working.ms).toBeLessThan(5000);
    mosquitto.kill('SIGHUP'); // what `systemctl reload mosquitto` does
    await eventually(
      async () => link.state,
      (state) => state.kind === 'refused' || (state.kind === 'unreachable' && /revoked/i.test(state.reason)),
      60_000,
    );
    await link.sendBatch(batch()).catch(() => {});
    expect(batches).toEqual([]);
  });
});

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
