/** One connection to the broker, from its TLS to its end: a fresh client each time, that nothing lingers in. */
import { MqttClient } from 'mqtt';
import type { GatewayIdentity } from '../identity/gateway-identity.ts';
import { openBrokerStream } from './broker-stream.ts';

const keepaliveSeconds = 20;
const publishTimeoutMs = 15_000;

export interface MqttSession {
  readonly client: MqttClient;
  /** Instant of this connection: a will of an earlier one is older. */
  readonly at: string;
  readonly closed: Promise<void>;
  /** It was greeted: what is published reaches the controller. */
  ready: boolean;
  problem: { readonly reason: string; readonly refused: boolean } | undefined;
}

export interface MqttSessionOptions {
  readonly identity: GatewayIdentity;
  /** What the broker says for us when this connection breaks: the topic, and the message of this instant. */
  readonly will: (at: string) => { readonly topic: string; readonly message: object };
  readonly onConnect: (session: MqttSession) => void;
  readonly onMessage: (topic: string, payload: Buffer) => void;
}

/** Begins to connect; `closed` resolves when the connection ended or never came to be, `problem` then says why. */
export function openMqttSession({ identity, will, onConnect, onMessage }: MqttSessionOptions): MqttSession {
  const at = new Date().toISOString();
  const { topic, message } = will(at);
  const client = new MqttClient(() => openBrokerStream(identity), {
    protocolVersion: 4,
    clientId: identity.gateway_id,
    clean: true,
    keepalive: keepaliveSeconds,
    connectTimeout: 15_000,
    reconnectPeriod: 0,
    queueQoSZero: false,
    manualConnect: true,
    will: { topic, payload: Buffer.from(JSON.stringify(message)), qos: 1, retain: true },
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  const session: MqttSession = { client, at, closed: promise, ready: false, problem: undefined };
  client.on('close', resolve);
  client.on('error', (error) => {
    session.problem ??= { reason: error.message, refused: isRefusal(error) };
  });
  client.on('connect', () => onConnect(session));
  client.on('message', onMessage);
  client.connect();
  return session;
}

/** Resolves when the broker took it; rejects when the connection ended before, or after 15 s. */
export async function publishOn(session: MqttSession, topic: string, message: object, retain: boolean): Promise<void> {
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

/** CONNACK with a code, or a TLS alert about our certificate. */
function isRefusal(error: Error): boolean {
  const code = (error as { code?: unknown }).code;
  if (typeof code === 'number') return code === 2 || code === 4 || code === 5;
  return typeof code === 'string' && /^ERR_SSL_.*ALERT_.*(?:CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED)/.test(code);
}

/** Resolves after the time, or as soon as the signal aborts. */
export async function delay(ms: number, signal?: AbortSignal): Promise<void> {
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
