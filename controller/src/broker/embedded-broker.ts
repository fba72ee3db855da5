/**
 * The broker for an installation without one of its own: MQTT 3.1.1 over mutual TLS only, inside the controller. It
 * trusts certificates, never names in packets, and bounds what one client can take from the others.
 */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:tls';
import type { Server, TLSSocket } from 'node:tls';
import { Aedes } from 'aedes';
import type { AuthenticateError, Client } from 'aedes';
import type { Logger } from 'pino';
import type { GatewayId } from '@picket/shared/contract/identifiers';
import { proofClientId } from '@picket/shared/contract/topics';
import { listenOn } from '../config/listen-on.ts';
import { ConnectBound } from './connect-bound.ts';
import { capPacketSize, maxPacketBytes } from './packet-cap.ts';
import { controllerCommonName, identifyPeer } from './peer-identity.ts';
import type { PeerIdentity } from './peer-identity.ts';
import { mayPublish, mayReceive, maySubscribe } from './topic-permissions.ts';

export interface EmbeddedBrokerOptions {
  /** Address to listen on; port 0 picks a free one. */
  readonly host: string;
  readonly port: number;
  /** PEM. */
  readonly ca: string;
  readonly certificates: {
    readonly server: { readonly key: string; readonly certificate: string };
    onServerChange(listener: (fresh: { readonly key: string; readonly certificate: string }) => void): void;
  };
  /** Whether this certificate of this gateway is known and in force. */
  readonly isInForce: (gateway: GatewayId, serial: string) => Promise<boolean>;
  /** A gateway was let in, from this address. Must not throw. */
  readonly onGatewayConnected: (gateway: GatewayId, address: string) => void;
  /** Serials of all certificates that were revoked before their end. Asked every two seconds. */
  readonly revokedSerials: () => Promise<ReadonlySet<string>>;
  readonly log: Logger;
}

export interface BrokerStats {
  connected: number;
  /** CONNECTs that were refused. */
  refusedConnects: number;
  /** Publications and subscriptions to topics that were not theirs. */
  refusedTopics: number;
}

const sweepEveryMs = 2000;
const maxWillBytes = 4096;
const returnCodes = { identifierRejected: 2, unavailable: 3, notAuthorized: 5 } as const;

export class EmbeddedBroker implements AsyncDisposable {
  readonly #options: EmbeddedBrokerOptions;
  readonly #peers = new WeakMap<Client, PeerIdentity>();
  readonly #live = new Map<Client, PeerIdentity>();
  readonly #connects = new ConnectBound({ limit: 30, windowMs: 60_000 });
  readonly #sockets = new Set<TLSSocket>();
  readonly #stats = { refusedConnects: 0, refusedTopics: 0 };
  #aedes!: Aedes;
  #server!: Server;
  #sweep: NodeJS.Timeout | undefined;

  private constructor(options: EmbeddedBrokerOptions) {
    this.#options = options;
  }

  /** Throws `StartFailure` where the port is taken. */
  static async listen(options: EmbeddedBrokerOptions): Promise<EmbeddedBroker> {
    const broker = new EmbeddedBroker(options);
    await broker.#open();
    return broker;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get stats(): BrokerStats {
    return { connected: this.#live.size, ...this.#stats };
  }

  /** Drops the live connection of a gateway, if there is one. Whether it may come back is for `isInForce` to say. */
  disconnect(gateway: GatewayId): void {
    for (const [client, peer] of this.#live) if (peer.kind === 'gateway' && peer.id === gateway) client.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#sweep);
    const closed = once(this.#server, 'close');
    this.#server.close();
    await new Promise<void>((resolve) => this.#aedes.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async #open(): Promise<void> {
    const options = this.#options;
    this.#aedes = await Aedes.createBroker({
      connectTimeout: 10_000, // from TLS to CONNECT
      drainTimeout: 5_000, // a frozen reader must not stall the others
      keepaliveLimit: 300,
      maxClientsIdLength: 128,
      maxTopicLevels: 8,
      maxInflightInbound: 20,
      authenticate: (client, _username, _password, done) => void this.#authenticate(client, done),
      authorizePublish: (client, packet, done) => {
        if (client === null || this.#mayPublish(client, packet.topic, packet.retain)) return done(null);
        done(new Error('may not publish on this topic')); // 3.1.1 has no refusal but the end of the connection
      },
      authorizeSubscribe: (client, subscription, done) => {
        const peer = this.#peers.get(client);
        if (peer !== undefined && maySubscribe(peer, subscription.topic)) return done(null, subscription);
        this.#refuseTopic(client, 'subscribe to', subscription.topic);
        done(null, null);
      },
      authorizeForward: (client, packet) => {
        const peer = this.#peers.get(client);
        return peer !== undefined && mayReceive(peer, packet.topic) ? packet : null;
      },
    });
    this.#aedes.on('clientReady', (client) => this.#welcome(client));
    this.#aedes.on('clientDisconnect', (client) => this.#live.delete(client));
    const quiet = (client: Client, error: Error): void =>
      options.log.debug({ err: error, client: client.id }, 'a broker connection ended with an error');
    this.#aedes.on('clientError', quiet).on('connectionError', quiet);
    await this.#listen();
    this.#sweep = setInterval(() => void this.#dropEnded(), sweepEveryMs);
    this.#sweep.unref();
  }

  async #listen(): Promise<void> {
    const { host, port, certificates, ca } = this.#options;
    const secure = { ca, requestCert: true, rejectUnauthorized: true, minVersion: 'TLSv1.3' } as const;
    this.#server = createServer(
      { ...secure, key: certificates.server.key, cert: certificates.server.certificate, handshakeTimeout: 10_000 },
      (socket) => this.#accept(socket),
    );
    this.#server.maxConnections = 10_000;
    this.#server.on('tlsClientError', () => {}); // strangers without our certificate
    certificates.onServerChange((fresh) =>
      this.#server.setSecureContext({ ...secure, key: fresh.key, cert: fresh.certificate }),
    );
    try {
      await listenOn(this.#server, { host, port }, 'mqtt.port');
    } catch (error) {
      this.#aedes.close();
      throw error;
    }
  }

  #accept(socket: TLSSocket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    socket.on('error', () => {}); // aedes takes its listeners off when it is done
    const peer = identifyPeer(socket);
    if (peer === undefined) {
      socket.destroy();
      return;
    }
    const client = this.#aedes.handle(socket);
    capPacketSize(client, maxPacketBytes);
    this.#peers.set(client, peer);
  }

  #welcome(client: Client): void {
    const peer = this.#peers.get(client);
    if (peer === undefined) return;
    this.#live.set(client, peer);
    const address = (client.conn as TLSSocket).remoteAddress;
    if (peer.kind === 'gateway' && address !== undefined) this.#options.onGatewayConnected(peer.id, address);
  }

  async #authenticate(
    client: Client,
    done: (error: AuthenticateError | null, ok: boolean | null) => void,
  ): Promise<void> {
    const peer = this.#peers.get(client);
    const refusal = peer === undefined ? refused('notAuthorized', 'unknown peer') : await this.#refusalOf(client, peer);
    if (refusal === undefined) return done(null, true);
    this.#stats.refusedConnects += 1;
    this.#options.log.warn({ client: client.id.slice(0, 64), reason: refusal.message }, 'the broker refused a client');
    done(refusal, false);
  }

  async #refusalOf(client: Client, peer: PeerIdentity): Promise<AuthenticateError | undefined> {
    if (!client.clean) return refused('notAuthorized', 'only clean sessions: what must not be lost is in the outbox');
    const will = (client as unknown as { _will?: { topic: string; retain?: boolean; payload?: Buffer } })._will;
    if (will !== undefined && !mayPublish(peer, will.topic, will.retain === true))
      return refused('notAuthorized', 'a last will on a topic that is not its own');
    if ((will?.payload?.length ?? 0) > maxWillBytes) return refused('notAuthorized', 'the last will is too long');
    if (peer.kind === 'controller')
      return client.id.startsWith(controllerCommonName)
        ? undefined
        : refused('identifierRejected', 'the client id of a controller begins with its name');
    if (client.id !== peer.id && client.id !== proofClientId(peer.id))
      return refused('identifierRejected', 'the client id is not the name in the certificate');
    if (!this.#connects.admit(client.id)) return refused('unavailable', 'too many connections in a minute');
    try {
      return (await this.#options.isInForce(peer.id, peer.serial))
        ? undefined
        : refused('notAuthorized', 'the certificate is revoked or unknown');
    } catch (error) {
      this.#options.log.error({ err: error }, 'cannot check a certificate; the client shall try again');
      return refused('unavailable', 'the database does not answer');
    }
  }

  #mayPublish(client: Client, topic: string, retain: boolean): boolean {
    const peer = this.#peers.get(client);
    if (peer !== undefined && mayPublish(peer, topic, retain)) return true;
    this.#refuseTopic(client, 'publish on', topic);
    return false;
  }

  #refuseTopic(client: Client, what: string, topic: string): void {
    this.#stats.refusedTopics += 1;
    this.#options.log.warn(
      { client: client.id, topic: topic.slice(0, 256) },
      `the broker refused to let a client ${what} a topic`,
    );
  }

  /** Ends connections whose certificate was revoked, by this controller or another one, or has run out meanwhile. */
  async #dropEnded(): Promise<void> {
    try {
      const revoked = await this.#options.revokedSerials();
      for (const [client, peer] of this.#live)
        if (peer.kind === 'gateway' && (revoked.has(peer.serial) || peer.notAfter.getTime() < Date.now()))
          client.close();
    } catch (error) {
      this.#options.log.error({ err: error }, 'cannot look for revoked certificates; trying again');
    }
  }
}

function refused(code: keyof typeof returnCodes, reason: string): AuthenticateError {
  // oxlint-disable-next-line typescript/no-unsafe-enum-assignment -- their `const enum` is not there at run time
  return Object.assign(new Error(reason), { returnCode: returnCodes[code] });
}
