/**
 * The controller over MQTT 3.1.1 with mutual TLS. Each connection is a fresh client that is thrown away when it ends:
 * what must not be lost is in the outbox, so nothing may linger in a client's queues. A refusal is a state with a reason,
 * never a reason to knock faster.
 */
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
import { delay, openMqttSession, publishOn, type MqttSession } from './mqtt-session.ts';
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

const goodbyeMs = 2_000;
const maxSnapshotBytes = 32 * 1024 * 1024;

export class MqttControllerLink implements ControllerLink {
  readonly #options: MqttControllerLinkOptions;
  readonly #pace: ReconnectPace;
  readonly #stop = new AbortController();
  #session: MqttSession | undefined;
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

  #open(): MqttSession {
    const identity = this.#options.identity();
    return openMqttSession({
      identity,
      will: (at) => ({ topic: topics.up(identity.gateway_id, 'presence'), message: this.#presence(false, at) }),
      onConnect: (session) => void this.#greet(session, identity),
      onMessage: (topic, payload) => this.#receive(topic, payload),
    });
  }

  /** Hears first, then says that it is there: what the controller sends at that finds the subscription in place. */
  async #greet(session: MqttSession, identity: GatewayIdentity): Promise<void> {
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

  #publishOn(session: MqttSession, channel: UpChannel, message: object, retain: boolean): Promise<void> {
    return publishOn(session, topics.up(this.#options.identity().gateway_id, channel), message, retain);
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

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
