/**
 * The controller's own connection to the broker, the embedded one or an external one alike: it hears every gateway and
 * tells each of them. Taking a message waits while too many are being worked on, so that a flood stays in the agents'
 * outboxes instead of our memory.
 */
import { randomUUID } from 'node:crypto';
import { isIP } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { MqttClient } from 'mqtt';
import type { Logger } from 'pino';
import type { GatewayId } from '@picket/shared/contract/identifiers';
import { topics } from '@picket/shared/contract/topics';
import { StartFailure, Unavailable, exitCodes } from '../errors.ts';
import { controllerCommonName } from './peer-identity.ts';

export interface BrokerClientOptions {
  readonly host: string;
  readonly port: number;
  /** PEM. */
  readonly ca: string;
  /** Asked at each connection, for certificates are renewed. */
  readonly credentials: () => { readonly key: string; readonly certificate: string };
  /** Must not reject. Messages of one topic are handed over one after another, in order. */
  readonly onMessage: (topic: string, payload: Buffer) => Promise<void>;
  /** The subscription holds (again). */
  readonly onConnected: () => void;
  readonly log: Logger;
}

const maxInHand = 32;
const reconnectMs = 2000;
const publishTimeoutMs = 10_000;

export class BrokerClient implements AsyncDisposable {
  readonly #options: BrokerClientOptions;
  readonly #client: MqttClient;
  readonly #lanes = new Map<string, Promise<void>>();
  readonly #waiting: (() => void)[] = [];
  readonly #stop = new AbortController();
  readonly #pushing = new Set<GatewayId>();
  #inHand = 0;
  #subscribed = false;

  private constructor(options: BrokerClientOptions) {
    this.#options = options;
    this.#client = new MqttClient(() => openStream(options), {
      protocolVersion: 4,
      clientId: `${controllerCommonName}-${randomUUID()}`,
      clean: true,
      keepalive: 20,
      connectTimeout: 10_000,
      reconnectPeriod: reconnectMs,
      queueQoSZero: false,
      resubscribe: false, // done by hand below, so that a refusal is seen
      manualConnect: true,
    });
  }

  /** Returns at once; the connection is made, and made again, in the background. */
  static start(options: BrokerClientOptions): BrokerClient {
    const broker = new BrokerClient(options);
    broker.#listen();
    broker.#client.connect();
    return broker;
  }

  get connected(): boolean {
    return this.#subscribed;
  }

  /** Resolves when the broker took it (QoS 1). Throws `Unavailable` when it is away; nothing is queued. */
  async publish(
    topic: string,
    payload: string,
    options: { readonly retain: boolean } = { retain: false },
  ): Promise<void> {
    if (!this.#client.connected) throw new Unavailable('the broker is away; what gateways shall do reaches them later');
    const late = AbortSignal.any([AbortSignal.timeout(publishTimeoutMs), this.#stop.signal]);
    await Promise.race([
      this.#client.publishAsync(topic, payload, { qos: 1, retain: options.retain }),
      new Promise<never>((_resolve, reject) => {
        late.addEventListener('abort', () => reject(new Unavailable('the broker did not answer in time')), {
          once: true,
        });
      }),
    ]);
  }

  /**
   * Ends the connection of a gateway at a broker that is not ours: who connects under a client id pushes out who had it.
   * Whether it may come back is for that broker's revocation list to say.
   */
  async pushOut(gateway: GatewayId): Promise<void> {
    if (this.#pushing.has(gateway) || this.#stop.signal.aborted) return;
    this.#pushing.add(gateway);
    const client = new MqttClient(() => openStream(this.#options), {
      protocolVersion: 4,
      clientId: gateway,
      clean: true,
      connectTimeout: 5000,
      reconnectPeriod: 0,
      manualConnect: true,
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    client.on('connect', () => resolve());
    client.on('close', resolve);
    client.on('error', (error) => {
      this.#options.log.warn({ err: error, gateway }, 'cannot push a revoked gateway out of the broker');
      resolve();
    });
    client.connect();
    await promise;
    await client.endAsync(true).catch(() => {});
    this.#pushing.delete(gateway);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    // Ended while it connects, the client would otherwise try again for ever.
    this.#client.options.reconnectPeriod = 0;
    await this.#client.endAsync(true).catch(() => {});
    await Promise.all(this.#lanes.values());
  }

  #listen(): void {
    const { log } = this.#options;
    this.#client.on('connect', () => void this.#subscribe());
    this.#client.on('close', () => {
      if (this.#subscribed) log.warn('the connection to the broker is lost; trying again');
      this.#subscribed = false;
    });
    let lastReason = '';
    this.#client.on('error', (error) => {
      if (error.message !== lastReason) log.error({ err: error }, 'cannot use the broker; trying again');
      lastReason = error.message;
    });
    this.#client.on('connect', () => {
      lastReason = '';
    });
    // Waiting here holds back the next packet and the acknowledgement of this one.
    this.#client.handleMessage = (packet, done) => {
      const payload = typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload;
      void (async () => {
        await this.#take(packet.topic, payload);
        done();
      })();
    };
  }

  async #subscribe(): Promise<void> {
    try {
      const [grant] = await this.#client.subscribeAsync(topics.upAll, { qos: 1 });
      if (grant === undefined || grant.qos === 128)
        throw new Error(`the broker refused the subscription to ${topics.upAll}; check its ACL`);
      this.#subscribed = true;
      this.#options.onConnected();
    } catch (error) {
      if (this.#client.connected) this.#options.log.error({ err: error }, 'cannot hear the gateways');
    }
  }

  /** Resolves when there is room for the next message. */
  async #take(topic: string, payload: Buffer): Promise<void> {
    this.#inHand += 1;
    const work = (this.#lanes.get(topic) ?? Promise.resolve())
      .then(() => this.#options.onMessage(topic, payload))
      .catch((error: unknown) => this.#options.log.error({ err: error, topic }, 'a message could not be handled'))
      .finally(() => {
        this.#inHand -= 1;
        if (this.#lanes.get(topic) === work) this.#lanes.delete(topic);
        this.#waiting.shift()?.();
      });
    this.#lanes.set(topic, work);
    if (this.#inHand >= maxInHand) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}

/** Host and port of `mqtts://host[:port]`. Throws `StartFailure`. */
export function parseBrokerUrl(text: string): { readonly host: string; readonly port: number } {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'mqtts:' || url.hostname === '')
    throw new StartFailure(
      `mqtt.broker_url ${text}: only mqtts://host[:port]; gateways are known by their certificates`,
      exitCodes.config,
    );
  return { host: url.hostname.replaceAll(/^\[|\]$/g, ''), port: Number(url.port || 8883) };
}

function openStream(options: BrokerClientOptions): ReturnType<typeof connectTls> {
  const { key, certificate } = options.credentials();
  const socket = connectTls({
    host: options.host,
    port: options.port,
    ca: options.ca,
    key,
    cert: certificate,
    minVersion: 'TLSv1.3',
    servername: isIP(options.host) === 0 ? options.host : '',
  });
  socket.setNoDelay(true);
  return socket;
}
