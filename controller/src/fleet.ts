/**
 * Everything that gateways meet, put together: authority, agents' door, broker, twin. `controller.ts` opens it before the
 * features, which need its services, and starts it after them, for nothing may arrive that nobody takes.
 */
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Ack } from '@picket/shared/contract/envelope';
import type { GatewayId } from '@picket/shared/contract/identifiers';
import type { Rule } from '@picket/shared/contract/rule';
import type { UnblockOrder } from '@picket/shared/contract/unblock';
import type { AuditService } from './audit/audit-service.ts';
import { AgentsDoor } from './authority/agents-door.ts';
import { AuthorityRepository } from './authority/authority-repository.ts';
import { AuthorityService } from './authority/authority-service.ts';
import { CertificateAuthority } from './authority/certificate-authority.ts';
import { ServerIdentity } from './authority/server-identity.ts';
import { SigningKey } from './authority/signing-key.ts';
import { BrokerClient, parseBrokerUrl } from './broker/broker-client.ts';
import { EmbeddedBroker, type BrokerStats } from './broker/embedded-broker.ts';
import { MessageRouter, type RawEventBatch, type RouterStats } from './broker/message-router.ts';
import type { ControllerConfig } from './config/controller-config.ts';
import { listenHost } from './config/listen-host.ts';
import type { Database } from './database/database.ts';
import { Unavailable } from './errors.ts';
import { GatewayRepository } from './gateways/gateway-repository.ts';
import { GatewayService } from './gateways/gateway-service.ts';
import type { LiveFeed } from './live/live-feed.ts';
import { ModelRepository } from './models/model-repository.ts';
import { ModelService } from './models/model-service.ts';
import { RolloutRepository } from './rollouts/rollout-repository.ts';
import { RolloutService } from './rollouts/rollout-service.ts';
import { TwinRepository } from './twin/twin-repository.ts';
import { TwinService } from './twin/twin-service.ts';

export interface FleetOptions {
  readonly config: Pick<ControllerConfig, 'data_dir' | 'agents_https' | 'mqtt' | 'public_host'>;
  readonly database: Database;
  readonly audit: AuditService;
  readonly live: LiveFeed;
  readonly log: Logger;
}

/** What the features give to the fleet. */
export interface FleetFeatures {
  /** Resolves after the commit; a rejection means that the gateway shall send it again. */
  readonly ingest: (gateway: GatewayId, batch: RawEventBatch) => Promise<Ack>;
  readonly rulesFor: (gateway: GatewayId) => Promise<readonly Rule[]>;
  readonly unmonitoredBy: (gateway: GatewayId) => Promise<readonly string[]>;
  readonly unblocksOwedBy: (gateway: GatewayId) => Promise<readonly UnblockOrder[]>;
}

export class Fleet implements AsyncDisposable {
  readonly authority: AuthorityService;
  readonly gateways: GatewayService;
  readonly twin: TwinService;
  readonly models: ModelService;
  readonly rollouts: RolloutService;
  readonly #options: FleetOptions;
  readonly #identity: ServerIdentity;
  readonly #ca: CertificateAuthority;
  readonly #authorityRows: AuthorityRepository;
  readonly #resources = new AsyncDisposableStack();
  #features: FleetFeatures | undefined;
  #broker: EmbeddedBroker | undefined;
  #client: BrokerClient | undefined;
  #router: MessageRouter | undefined;
  #door: AgentsDoor | undefined;

  private constructor(
    options: FleetOptions,
    keys: {
      ca: CertificateAuthority;
      identity: ServerIdentity;
      signingKey: SigningKey;
      bundleKey: SigningKey;
      folder: string;
    },
  ) {
    this.#options = options;
    this.#identity = this.#resources.use(keys.identity);
    this.#ca = keys.ca;
    this.#authorityRows = new AuthorityRepository(options.database);
    this.authority = new AuthorityService({
      repository: this.#authorityRows,
      authority: keys.ca,
      signingKey: keys.signingKey,
      bundleKey: keys.bundleKey,
      folder: keys.folder,
      doors: () => this.doors,
      onRevoked: (gateway) => this.#dropGateway(gateway),
    });
    this.twin = new TwinService({
      twin: new TwinRepository(options.database),
      sign: (typ, document) => keys.signingKey.sign(typ, document),
      publish: (topic, payload, how) => this.#publish(topic, payload, how),
      rulesFor: (gateway) => this.rollouts.rulesFor(gateway),
      changeRules: (by, change) => this.rollouts.changeRules(by, change),
      unmonitoredBy: (gateway) => this.#started().unmonitoredBy(gateway),
      bundleFor: (gateway) => this.models.wantedBy(gateway),
      unblocksOwedBy: (gateway) => this.#started().unblocksOwedBy(gateway),
      log: options.log,
    });
    this.models = new ModelService({
      models: new ModelRepository(options.database),
      sign: (typ, document) => keys.bundleKey.sign(typ, document),
      policies: this.twin,
      audit: options.audit,
    });
    this.rollouts = new RolloutService({
      rollouts: new RolloutRepository(options.database),
      rulesFor: (gateway) => this.#started().rulesFor(gateway),
      refreshPolicy: (gateway) => this.twin.refreshPolicy(gateway),
      audit: options.audit,
      live: options.live,
      log: options.log,
    });
    this.gateways = new GatewayService({
      gateways: new GatewayRepository(options.database),
      authority: this.authority,
      audit: options.audit,
      live: options.live,
      onSettingsChanged: (gateway) => this.twin.refreshPolicy(gateway),
      onOnline: async (gateway) => {
        await this.twin.onGatewayOnline(gateway);
        this.rollouts.carryOn();
      },
      onReported: () => this.rollouts.carryOn(),
    });
  }

  /** Opens the keys; nothing is reachable yet. Throws `StartFailure`. */
  static async open(options: FleetOptions): Promise<Fleet> {
    const folder = join(options.config.data_dir, 'authority');
    const ca = await CertificateAuthority.open(folder);
    const signingKey = await SigningKey.open(folder, 'signing-key.json');
    const bundleKey = await SigningKey.open(folder, 'bundle-key.json');
    const identity = await ServerIdentity.open({
      folder,
      authority: ca,
      publicHosts: [
        ...options.config.public_host,
        ...[options.config.mqtt, options.config.agents_https].map(({ host }) =>
          reachable(listenHost(host, options.config.public_host)),
        ),
      ],
      log: options.log,
    });
    return new Fleet(options, { ca, identity, signingKey, bundleKey, folder });
  }

  /** Opens the doors. Throws `StartFailure` where one is taken. */
  async start(features: FleetFeatures): Promise<void> {
    const { config, log } = this.#options;
    this.#features = features;
    this.#resources.use(this.twin);
    this.#resources.use(this.rollouts);
    await this.authority.writeRevocationList();
    if (config.mqtt.broker_url === undefined) {
      await this.gateways.setAllOffline();
      this.#broker = this.#resources.use(await this.#listenBroker());
    }
    this.#router = new MessageRouter(
      {
        isInForce: (gateway) => this.#isEnrolled(gateway),
        onStranger: (gateway) => this.#dropGateway(gateway),
        events: features.ingest,
        presence: (gateway, presence) => this.gateways.takePresence(gateway, presence),
        reported: (gateway, reported) => this.gateways.takeReported(gateway, reported),
        health: (gateway, health) => this.gateways.takeHealth(gateway, health),
      },
      (topic, payload) => this.#publish(topic, payload, { retain: false }),
      log,
    );
    const router = this.#router;
    this.#client = this.#resources.use(
      BrokerClient.start({
        ...this.#brokerAddress(),
        ca: this.#ca.certificate,
        credentials: () => this.#identity.controller,
        onMessage: (topic, payload) => router.handle(topic, payload),
        onConnected: () =>
          void this.twin
            .onBrokerConnected()
            .catch((error: unknown) => log.error({ err: error }, 'cannot send the desired state')),
        log,
      }),
    );
    this.#door = this.#resources.use(
      await AgentsDoor.listen({
        host: listenHost(config.agents_https.host, config.public_host),
        port: config.agents_https.port,
        identity: this.#identity,
        authority: this.authority,
        decisionsSnapshot: (gateway) => this.twin.snapshot(gateway),
        bundleFile: (manifestSha256, name) => this.models.file(manifestSha256, name),
        log,
      }),
    );
    this.twin.start();
    this.rollouts.start();
  }

  /** Host and port under which agents reach the two doors. */
  get doors(): { readonly https: { host: string; port: number }; readonly mqtt: { host: string; port: number } } {
    const { config } = this.#options;
    const host = config.public_host[0] ?? reachable(listenHost(config.agents_https.host, config.public_host));
    return {
      https: { host, port: this.#door?.port ?? config.agents_https.port },
      mqtt:
        config.mqtt.broker_url === undefined
          ? { host, port: this.#broker?.port ?? config.mqtt.port }
          : parseBrokerUrl(config.mqtt.broker_url),
    };
  }

  /** Whether the controller hears its gateways. */
  get brokerConnected(): boolean {
    return this.#client?.connected ?? false;
  }

  /** Counters for the metrics. */
  get stats(): { readonly broker: BrokerStats | undefined; readonly router: RouterStats | undefined } {
    return { broker: this.#broker?.stats, router: this.#router?.stats };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }

  #dropGateway(gateway: GatewayId): void {
    if (this.#broker !== undefined) this.#broker.disconnect(gateway);
    else void this.#client?.pushOut(gateway);
  }

  #listenBroker(): Promise<EmbeddedBroker> {
    const { config, log } = this.#options;
    return EmbeddedBroker.listen({
      host: listenHost(config.mqtt.host, config.public_host),
      port: config.mqtt.port,
      ca: this.#ca.certificate,
      certificates: this.#identity,
      isInForce: async (gateway, serial) => (await this.authority.standing(gateway, serial)) === 'good',
      onGatewayConnected: (gateway, address) => {
        this.gateways
          .takeLinkAddress(gateway, address)
          .catch((error: unknown) => log.error({ err: error }, 'cannot note the address of a gateway'));
      },
      revokedSerials: async () =>
        new Set((await this.#authorityRows.revokedSerials(new Date().toISOString())).map((row) => row.serial)),
      log,
    });
  }

  #brokerAddress(): { readonly host: string; readonly port: number } {
    const { mqtt, public_host: names } = this.#options.config;
    if (mqtt.broker_url !== undefined) return parseBrokerUrl(mqtt.broker_url);
    return { host: reachable(listenHost(mqtt.host, names)), port: this.#broker?.port ?? 0 };
  }

  async #isEnrolled(gateway: GatewayId): Promise<boolean> {
    return this.authority.isEnrolled(gateway);
  }

  async #publish(topic: string, payload: string, how: { readonly retain: boolean }): Promise<void> {
    if (this.#client === undefined) throw new Unavailable('the broker is not open yet');
    await this.#client.publish(topic, payload, how);
  }

  #started(): FleetFeatures {
    if (this.#features === undefined) throw new Error('the fleet is used before it was started');
    return this.#features;
  }
}

/** An address to listen on as one to connect to. */
function reachable(host: string): string {
  return host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
}
