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
import { AuthorityRepository } from './authority/authority-repository.ts';
import { AuthorityService } from './authority/authority-service.ts';
import { CertificateAuthority } from './authority/certificate-authority.ts';
import { ServerIdentity } from './authority/server-identity.ts';
import { SigningKey } from './authority/signing-key.ts';
import type { RawEventBatch } from './broker/message-router.ts';
import type { ControllerConfig } from './config/controller-config.ts';
import { listenHost } from './config/listen-host.ts';
import type { Database } from './database/database.ts';
import { FleetDoors, reachable, type DoorAddresses } from './fleet-doors.ts';
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
  readonly #doors: FleetDoors;
  readonly #authorityRows: AuthorityRepository;
  readonly #resources = new AsyncDisposableStack();
  #features: FleetFeatures | undefined;

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
    const { ca, identity } = keys;
    this.#doors = new FleetDoors({
      config: options.config,
      ca,
      identity: this.#resources.use(identity),
      log: options.log,
    });
    this.#authorityRows = new AuthorityRepository(options.database);
    this.authority = new AuthorityService({
      repository: this.#authorityRows,
      authority: ca,
      signingKey: keys.signingKey,
      bundleKey: keys.bundleKey,
      folder: keys.folder,
      doors: () => this.doors,
      onRevoked: (gateway) => this.#doors.drop(gateway),
    });
    this.twin = new TwinService({
      twin: new TwinRepository(options.database),
      sign: (typ, document) => keys.signingKey.sign(typ, document),
      publish: (topic, payload, how) => this.#doors.publish(topic, payload, how),
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
    this.#features = features;
    this.#resources.use(this.twin);
    this.#resources.use(this.rollouts);
    this.#resources.use(this.#doors);
    await this.authority.writeRevocationList();
    await this.#doors.open({
      authority: this.authority,
      authorityRows: this.#authorityRows,
      gateways: this.gateways,
      twin: this.twin,
      models: this.models,
      ingest: features.ingest,
    });
    this.twin.start();
    this.rollouts.start();
  }

  /** Host and port under which agents reach the two doors. */
  get doors(): DoorAddresses {
    return this.#doors.addresses;
  }

  /** Whether the controller hears its gateways. */
  get brokerConnected(): boolean {
    return this.#doors.hears;
  }

  /** Counters for the metrics. */
  get stats(): FleetDoors['stats'] {
    return this.#doors.stats;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }

  #started(): FleetFeatures {
    if (this.#features === undefined) throw new Error('the fleet is used before it was started');
    return this.#features;
  }
}
