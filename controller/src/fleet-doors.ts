/**
 * The ways in for gateways, opened and closed together: the broker (its own, or the owner's) with the client that hears it,
 * and the agents' HTTPS door. What stands behind them is given when they open.
 */
import type { Logger } from 'pino';
import type { Ack } from '@picket/shared/contract/envelope';
import type { GatewayId } from '@picket/shared/contract/identifiers';
import { AgentsDoor } from './authority/agents-door.ts';
import type { AuthorityRepository } from './authority/authority-repository.ts';
import type { AuthorityService } from './authority/authority-service.ts';
import type { CertificateAuthority } from './authority/certificate-authority.ts';
import type { ServerIdentity } from './authority/server-identity.ts';
import { BrokerClient, parseBrokerUrl } from './broker/broker-client.ts';
import { EmbeddedBroker, type BrokerStats } from './broker/embedded-broker.ts';
import { MessageRouter, type RawEventBatch, type RouterStats } from './broker/message-router.ts';
import type { ControllerConfig } from './config/controller-config.ts';
import { listenHost } from './config/listen-host.ts';
import { Unavailable } from './errors.ts';
import type { GatewayService } from './gateways/gateway-service.ts';
import type { ModelService } from './models/model-service.ts';
import type { TwinService } from './twin/twin-service.ts';

export interface FleetDoorsOptions {
  readonly config: Pick<ControllerConfig, 'agents_https' | 'mqtt' | 'public_host'>;
  readonly ca: CertificateAuthority;
  readonly identity: ServerIdentity;
  readonly log: Logger;
}

/** Who takes what comes in. */
export interface BehindDoors {
  readonly authority: AuthorityService;
  readonly authorityRows: AuthorityRepository;
  readonly gateways: GatewayService;
  readonly twin: TwinService;
  readonly models: ModelService;
  /** Resolves after the commit; a rejection means that the gateway shall send it again. */
  readonly ingest: (gateway: GatewayId, batch: RawEventBatch) => Promise<Ack>;
}

/** Host and port under which agents reach each. */
export interface DoorAddresses {
  readonly https: { host: string; port: number };
  readonly mqtt: { host: string; port: number };
}

export class FleetDoors implements AsyncDisposable {
  readonly #options: FleetDoorsOptions;
  readonly #resources = new AsyncDisposableStack();
  #broker: EmbeddedBroker | undefined;
  #client: BrokerClient | undefined;
  #router: MessageRouter | undefined;
  #door: AgentsDoor | undefined;

  constructor(options: FleetDoorsOptions) {
    this.#options = options;
  }

  /** Throws `StartFailure` where one is taken. */
  async open(behind: BehindDoors): Promise<void> {
    const { config, ca, identity, log } = this.#options;
    const { authority, gateways, twin, models } = behind;
    if (config.mqtt.broker_url === undefined) {
      await gateways.setAllOffline();
      this.#broker = this.#resources.use(await this.#listenBroker(behind));
    }
    this.#router = new MessageRouter(
      {
        isInForce: (gateway) => authority.isEnrolled(gateway),
        onStranger: (gateway) => this.drop(gateway),
        events: behind.ingest,
        presence: (gateway, presence) => gateways.takePresence(gateway, presence),
        reported: (gateway, reported) => gateways.takeReported(gateway, reported),
        health: (gateway, health) => gateways.takeHealth(gateway, health),
      },
      (topic, payload) => this.publish(topic, payload, { retain: false }),
      log,
    );
    const router = this.#router;
    this.#client = this.#resources.use(
      BrokerClient.start({
        ...this.#brokerAddress(),
        ca: ca.certificate,
        credentials: () => identity.controller,
        onMessage: (topic, payload) => router.handle(topic, payload),
        onConnected: () =>
          void twin
            .onBrokerConnected()
            .catch((error: unknown) => log.error({ err: error }, 'cannot send the desired state')),
        log,
      }),
    );
    this.#door = this.#resources.use(
      await AgentsDoor.listen({
        host: listenHost(config.agents_https.host, config.public_host),
        port: config.agents_https.port,
        identity,
        authority,
        decisionsSnapshot: (gateway) => twin.snapshot(gateway),
        bundleFile: (manifestSha256, name) => models.file(manifestSha256, name),
        log,
      }),
    );
  }

  /** Known once they are open; before, as they were configured. */
  get addresses(): DoorAddresses {
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
  get hears(): boolean {
    return this.#client?.connected ?? false;
  }

  /** Counters for the metrics. */
  get stats(): { readonly broker: BrokerStats | undefined; readonly router: RouterStats | undefined } {
    return { broker: this.#broker?.stats, router: this.#router?.stats };
  }

  /** To one gateway or all, as the topic says. Throws `Unavailable` before they are open. */
  async publish(topic: string, payload: string, how: { readonly retain: boolean }): Promise<void> {
    if (this.#client === undefined) throw new Unavailable('the broker is not open yet');
    await this.#client.publish(topic, payload, how);
  }

  /** The gateway is shown out, whoever's the broker is. */
  drop(gateway: GatewayId): void {
    if (this.#broker !== undefined) this.#broker.disconnect(gateway);
    else void this.#client?.pushOut(gateway);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }

  #listenBroker({ authority, authorityRows, gateways }: BehindDoors): Promise<EmbeddedBroker> {
    const { config, ca, identity, log } = this.#options;
    return EmbeddedBroker.listen({
      host: listenHost(config.mqtt.host, config.public_host),
      port: config.mqtt.port,
      ca: ca.certificate,
      certificates: identity,
      isInForce: async (gateway, serial) => (await authority.standing(gateway, serial)) === 'good',
      onGatewayConnected: (gateway, address) => {
        gateways
          .takeLinkAddress(gateway, address)
          .catch((error: unknown) => log.error({ err: error }, 'cannot note the address of a gateway'));
      },
      revokedSerials: async () =>
        new Set((await authorityRows.revokedSerials(new Date().toISOString())).map((row) => row.serial)),
      log,
    });
  }

  #brokerAddress(): { readonly host: string; readonly port: number } {
    const { mqtt, public_host: names } = this.#options.config;
    if (mqtt.broker_url !== undefined) return parseBrokerUrl(mqtt.broker_url);
    return { host: reachable(listenHost(mqtt.host, names)), port: this.#broker?.port ?? 0 };
  }
}

/** An address to listen on as one to connect to. */
export function reachable(host: string): string {
  return host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
}
