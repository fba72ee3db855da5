/**
 * The controller over MQTT 3.1.1 with mutual TLS. Each connection is a fresh client that is thrown away when it ends:
 * what must not be lost is in the outbox, so nothing may linger in a client's queues. A refusal is a state with a reason,
 * never a reason to knock faster.
 */
import { isIP } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { MqttClient } from 'mqtt';
import type { Logger } from 'pino';
import { Ack } from '@picket/shared/contract/envelope';
import type { EventBatch } from '@picket/shared/contract/envelope';
import type { Health, Presence } from '@picket/shared/contract/gateway';
import type { BootId } from '@picket/shared/contract/identifiers';
import { protocolVersion } from '@picket/shared/contract/protocol-version';
import { parseTopic, topics } from '@picket/shared/contract/topics';
import type { UpChannel } from '@picket/shared/contract/topics';
import type { Reported } from '@picket/shared/contract/twin';
import { askDoor } from '../identity/door-client.ts';
import type { GatewayIdentity } from '../identity/gateway-identity.ts';
import type { ControllerLink, LinkHandlers } from './controller-link.ts';
import { ReconnectPace } from './reconnect-pace.ts';

export interface MqttControllerLinkOptions {
  /** Asked at each connection, for certificates are renewed. */
  readonly identity: () => GatewayIdentity;
  readonly bootId: BootId;
  readonly agentVersion: string;
  readonly handlers: LinkHandlers;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
  /** Wait between attempts; the default is for the field. */
  readonly pace?: ReconnectPace;
}

/** `refused`: the other end knows us and says no; `unreachable`: nobody there, or not who it should be. */
export type LinkState =
  | { readonly kind: 'connecting' | 'connected' }
  | { readonly kind: 'unreachable' | 'refused'; readonly reason: string };

const keepaliveSeconds = 20;
const publishTimeoutMs = 15_000;
const goodbyeMs = 2_000;
const maxSnapshotBytes = 32 * 1024 * 1024;

interface Session {
  readonly client: MqttClient;
  /** Instant of this connection: a will of an earlier one is older. */
  readonly at: string;
  readonly closed: Promise<void>;
  ready: boolean;
  problem: { readonly reason: string; readonly refused: boolean } | undefined;
}

export class MqttControllerLink implements ControllerLink {
  readonly #options: MqttControllerLinkOptions;
  readonly #pace: ReconnectPace;
  readonly #stop = new AbortController();
  #session: Session | undefined;
  #state: LinkState = { kind: 'connecting' };
  #running: Promise<void> = Promise.resolve();

  private constructor(options: MqttControllerLinkOptions) {
    this.#options = options;
    this.#pace = options.pace ?? new ReconnectPace();
  }

  /** Returns at once; connects, and connects again, in the background until disposed. */
  static start(options: MqttControllerLinkOptions): MqttControllerLink {
    const link = new MqttControllerLink(options);
    link.#running = link.#run();
    return link;
  }

  get connected(): boolean {
    return this.#session?.ready === true;
  }

  get state(): LinkState {
    return this.#state;
  }

  async sendBatch(batch: EventBatch): Promise<void> {
    await this.#publish(batch.channel, batch, false);
  }

  async sendReported(reported: Reported): Promise<void> {
    await this.#publish('reported', reported, true);
  }

  async sendHealth(health: Health): Promise<void> {
    await this.#publish('health', health, false);
  }

  async fetchDecisions(signal: AbortSignal): Promise<string> {
    const identity = this.#options.identity();
    const answer = await askDoor({
      ...identity.https,
      method: 'GET',
      path: '/api/v1/agent/decisions',
      ca: identity.ca,
      client: { certificate: identity.certificate, key: identity.private_key },
      maxBytes: maxSnapshotBytes,
      timeoutMs: 60_000,
      signal,
    });
    if (answer.status !== 200)
      throw new Error(`the controller answered ${answer.status}: ${answer.body.slice(0, 300)}`);
    return answer.body;
  }

  /** Says goodbye, so that the controller need not wait for the last will. */
  async [Symbol.asyncDispose](): Promise<void> {
    const session = this.#session;
    if (session?.ready === true) {
      const patience = new AbortController();
      const goodbye = this.#publishOn(session, 'presence', this.#presence(false, new Date().toISOString()), true)
        .then(() => session.client.endAsync(false))
        .catch(() => {});
      await Promise.race([goodbye, delay(goodbyeMs, patience.signal)]);
      patience.abort();
    }
    this.#stop.abort();
    session?.client.end(true);
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const began = Date.now();
      const session = this.#open();
      this.#session = session;
      const abort = (): void => void session.client.end(true);
      signal.addEventListener('abort', abort, { once: true });
      await session.closed;
      signal.removeEventListener('abort', abort);
      session.client.end(true);
      this.#session = undefined;
      const problem = session.problem ?? { reason: 'the connection ended', refused: false };
      if (session.ready) {
        session.ready = false;
        this.#options.handlers.onDisconnected(problem.reason);
      }
      if (signal.aborted) return;
      this.#setState({ kind: problem.refused ? 'refused' : 'unreachable', reason: problem.reason });
      await delay(this.#pace.next({ livedMs: Date.now() - began, refused: problem.refused }), signal);
    }
  }

  #open(): Session {
    const identity = this.#options.identity();
    const at = new Date().toISOString();
    const client = new MqttClient(() => openStream(identity), {
      protocolVersion: 4,
      clientId: identity.gateway_id,
      clean: true,
      keepalive: keepaliveSeconds,
      connectTimeout: 15_000,
      reconnectPeriod: 0,
      queueQoSZero: false,
      manualConnect: true,
      will: {
        topic: topics.up(identity.gateway_id, 'presence'),
        payload: Buffer.from(JSON.stringify(this.#presence(false, at))),
        qos: 1,
        retain: true,
      },
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    const session: Session = { client, at, closed: promise, ready: false, problem: undefined };
    client.on('close', resolve);
    client.on('error', (error) => {
      session.problem ??= { reason: error.message, refused: isRefusal(error) };
    });
    client.on('connect', () => void this.#greet(session, identity));
    client.on('message', (topic, payload) => this.#receive(topic, payload));
    client.connect();
    return session;
  }

  /** Hears first, then says that it is there: what the controller sends at that finds the subscription in place. */
  async #greet(session: Session, identity: GatewayIdentity): Promise<void> {
    const { client } = session;
    const filter = topics.downAll(identity.gateway_id);
    try {
      const [grant] = await client.subscribeAsync(filter, { qos: 1 });
      if (grant === undefined || grant.qos === 128) {
        session.problem = { reason: `the broker refused the subscription to ${filter}; check its ACL`, refused: true };
        client.end(true);
        return;
      }
      await this.#publishOn(session, 'presence', this.#presence(true, session.at), true);
      session.ready = true;
      this.#setState({ kind: 'connected' });
      this.#options.handlers.onConnected();
    } catch (error) {
      session.problem ??= { reason: (error as Error).message, refused: false };
      client.end(true);
    }
  }

  #receive(topic: string, payload: Buffer): void {
    const parsed = parseTopic(topic);
    if (parsed?.direction !== 'down' || parsed.gateway !== this.#options.identity().gateway_id) return;
    const text = payload.toString('utf8');
    switch (parsed.channel) {
      case 'policy':
        if (text !== '') this.#options.handlers.onPolicy(text);
        return;
      case 'decisions':
        return this.#options.handlers.onDecisions(text);
      case 'ack': {
        const ack = Ack.safeParse(parseJson(text));
        if (ack.success) this.#options.handlers.onAck(ack.data);
        else this.#options.log.warn('the controller sent an acknowledgement that is none');
      }
    }
  }

  async #publish(channel: UpChannel, message: object, retain: boolean): Promise<void> {
    const session = this.#session;
    if (session?.ready !== true) throw new Error('the controller is not connected');
    await this.#publishOn(session, channel, message, retain);
  }

  async #publishOn(session: Session, channel: UpChannel, message: object, retain: boolean): Promise<void> {
    const topic = topics.up(this.#options.identity().gateway_id, channel);
    const ended = session.closed.then(() => {
      throw new Error('the connection ended before the broker took the message');
    });
    const late = new AbortController();
    try {
      await Promise.race([
        session.client.publishAsync(topic, JSON.stringify(message), { qos: 1, retain }),
        ended,
        rejectAfter(publishTimeoutMs, late.signal, 'the broker did not take the message in time'),
      ]);
    } finally {
      late.abort();
    }
  }

  #presence(online: boolean, at: string): Presence {
    const { bootId, agentVersion } = this.#options;
    return { online, boot_id: bootId, at, agent_version: agentVersion, protocol: protocolVersion };
  }

  /** Logged once per state, however often the attempt is repeated. */
  #setState(state: LinkState): void {
    const before = this.#state;
    this.#state = state;
    const reason = 'reason' in state ? state.reason : undefined;
    if (before.kind === state.kind && ('reason' in before ? before.reason : undefined) === reason) return;
    const { log } = this.#options;
    if (state.kind === 'connected') log.info('connected to the controller');
    else if (state.kind === 'refused')
      log.error(
        { reason },
        'the controller refuses this gateway; was it revoked? enrol again with `picket-agent enroll --replace`',
      );
    else if (state.kind === 'unreachable') log.warn({ reason }, 'the controller is away; events wait in the outbox');
  }
}

function openStream(identity: GatewayIdentity): ReturnType<typeof connectTls> {
  const { host, port } = identity.mqtt;
  const socket = connectTls({
    host,
    port,
    ca: identity.ca,
    cert: identity.certificate,
    key: identity.private_key,
    minVersion: 'TLSv1.3',
    servername: isIP(host) === 0 ? host : '',
  });
  socket.setNoDelay(true);
  return socket;
}

/** CONNACK with a code, or a TLS alert about our certificate. */
function isRefusal(error: Error): boolean {
  const code = (error as { code?: unknown }).code;
  if (typeof code === 'number') return code === 2 || code === 4 || code === 5;
  return typeof code === 'string' && /^ERR_SSL_.*ALERT_.*(?:CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED)/.test(code);
}

async function delay(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted === true) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  signal?.addEventListener('abort', () => resolve(), { once: true });
  await promise;
  clearTimeout(timer);
}

/** Never settles once the signal aborted. */
async function rejectAfter(ms: number, signal: AbortSignal, reason: string): Promise<never> {
  await delay(ms, signal);
  if (signal.aborted) return new Promise<never>(() => {});
  throw new Error(reason);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
