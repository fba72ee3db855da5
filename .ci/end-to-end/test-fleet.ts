/** A fleet for tests: the controller's half that gateways meet, on a database of its own, and the agent's half that meets it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GatewayId, newId } from '../../shared/src/contract/identifiers.ts';
import type { BootId } from '../../shared/src/contract/identifiers.ts';
import { enrol } from '../../agent/src/identity/enrol.ts';
import type { GatewayIdentity } from '../../agent/src/identity/gateway-identity.ts';
import { MqttControllerLink } from '../../agent/src/report/mqtt-controller-link.ts';
import type { OutboxSender } from '../../agent/src/report/outbox-sender.ts';
import { ReconnectPace } from '../../agent/src/report/reconnect-pace.ts';
import { AuditRepository } from '../../controller/src/audit/audit-repository.ts';
import { AuditService } from '../../controller/src/audit/audit-service.ts';
import type { RawEventBatch } from '../../controller/src/broker/message-router.ts';
import { openDatabase, type Database } from '../../controller/src/database/database.ts';
import { Fleet, type FleetOptions } from '../../controller/src/fleet.ts';
import { LiveFeed } from '../../controller/src/live/live-feed.ts';
import { eventually } from '../../models/range/running-program.ts';

export const quiet = Object.fromEntries(
  ['trace', 'debug', 'info', 'warn', 'error', 'fatal'].map((level) => [level, () => {}]),
) as unknown as FleetOptions['log'];
export const hall = GatewayId.parse('hall-1');
export const actor = { username: 'test', address: null };

export interface TestAgent extends AsyncDisposable {
  readonly link: MqttControllerLink;
  readonly policies: string[];
  readonly decisions: string[];
  readonly disconnects: string[];
}

export class TestFleet implements AsyncDisposable {
  /** Goes with the fleet; gateways keep their state in it as well. */
  readonly folder: string;
  readonly database: Database;
  /** What agents reported, as it was committed. */
  readonly stored: { gateway: string; seq: number; event: unknown }[] = [];
  fleet: Fleet;

  private constructor(folder: string, database: Database, fleet: Fleet) {
    this.folder = folder;
    this.database = database;
    this.fleet = fleet;
  }

  static async start(): Promise<TestFleet> {
    const folder = mkdtempSync(join(tmpdir(), 'picket-fleet-'));
    const database = await openDatabase({ file: join(folder, 'picket.db') });
    await database.migrate();
    const place = new TestFleet(folder, database, await openFleet(folder, database));
    await place.#serve();
    return place;
  }

  /** The controller is gone, and comes back with the same doors and the same database. */
  async restart(whileGone: () => void): Promise<void> {
    const { https, mqtt } = this.fleet.doors;
    await this.fleet[Symbol.asyncDispose]();
    whileGone();
    this.fleet = await openFleet(this.folder, this.database, { https: https.port, mqtt: mqtt.port });
    await this.#serve();
  }

  async token(gatewayId: GatewayId | null = null, lifetimeSeconds = 60): Promise<string> {
    return (await this.fleet.authority.createToken({ gatewayId, lifetimeSeconds, createdBy: 'test' })).token;
  }

  enrolAs(
    gatewayId: GatewayId,
    text: string,
    more: { replace?: boolean; name?: string } = {},
  ): Promise<GatewayIdentity> {
    return enrol({
      token: text,
      gatewayId,
      stateDir: join(this.folder, more.name ?? gatewayId),
      replace: more.replace ?? false,
      controllerUrl: undefined,
      agentVersion: '0.1.0',
    });
  }

  /** Of `hall-1`; rejects after a minute. */
  statusIs(status: string): Promise<unknown> {
    return eventually(
      async () => (await this.fleet.gateways.get(hall)).status,
      (now) => now === status,
      60_000,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.fleet[Symbol.asyncDispose]();
    await this.database[Symbol.asyncDispose]();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #serve(): Promise<void> {
    await this.fleet.start({
      ingest: async (gateway, batch: RawEventBatch) => {
        for (const event of batch.events) this.stored.push({ gateway, seq: event.seq, event: event['event'] });
        return { epoch: batch.epoch, channel: batch.channel, upto: batch.events.at(-1)?.seq ?? 0 };
      },
      rulesFor: async () => [],
      unmonitoredBy: async () => [],
      unblocksOwedBy: async () => [],
    });
  }
}

function openFleet(folder: string, database: Database, ports = { https: 0, mqtt: 0 }): Promise<Fleet> {
  return Fleet.open({
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
}

export function startAgent(identity: GatewayIdentity, sender?: () => OutboxSender): TestAgent {
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

/** What was signed, as it came over the wire; undefined where nothing came. */
export function payloadOf(jws: string | undefined): Readonly<Record<string, unknown>> | undefined {
  const payload = jws?.split('.')[1];
  return payload === undefined ? undefined : JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
}
