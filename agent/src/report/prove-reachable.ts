/**
 * Does the gateway still reach its controller? Asked over connections that did not exist before, for the one that is
 * open already would live on under rules that let no new one through: a second MQTT connection that the broker takes, and
 * a question at the controller's door that only the controller can answer.
 */
import { randomUUID } from 'node:crypto';
import { MqttClient } from 'mqtt';
import { topics, proofClientId } from '@picket/shared/contract/topics';
import { askDoor } from '../identity/door-client.ts';
import type { GatewayIdentity } from '../identity/gateway-identity.ts';
import { openBrokerStream } from './broker-stream.ts';

/** Of one try, broker and controller side by side. */
const defaultTimeoutMs = 8000;

/** Resolves when both answered; rejects with who did not and why. Nothing stays open. */
export async function proveReachable(
  identity: GatewayIdentity,
  signal: AbortSignal,
  timeoutMs = defaultTimeoutMs,
): Promise<void> {
  const [broker, controller] = await Promise.allSettled([
    askBroker(identity, signal, timeoutMs),
    askController(identity, signal, timeoutMs),
  ]);
  const silent = [
    ...(broker.status === 'rejected' ? [`broker: ${reasonOf(broker)}`] : []),
    ...(controller.status === 'rejected' ? [`controller: ${reasonOf(controller)}`] : []),
  ];
  if (silent.length > 0) throw new Error(silent.join('; '));
}

/** Connected, known and heard: the subscription is granted. */
async function askBroker(identity: GatewayIdentity, stop: AbortSignal, timeoutMs: number): Promise<void> {
  const client = new MqttClient(() => openBrokerStream(identity), {
    protocolVersion: 4,
    clientId: proofClientId(identity.gateway_id),
    clean: true,
    connectTimeout: timeoutMs,
    reconnectPeriod: 0,
    manualConnect: true,
  });
  const { promise: ended, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error('no answer in time')), timeoutMs);
  const abort = (): void => reject(new Error('given up'));
  stop.addEventListener('abort', abort, { once: true });
  if (stop.aborted) abort();
  client.on('error', reject);
  client.on('close', () => reject(new Error('the connection ended')));
  try {
    client.connect();
    await Promise.race([new Promise<void>((resolve) => client.once('connect', () => resolve())), ended]);
    const [grant] = await Promise.race([
      client.subscribeAsync(topics.down(identity.gateway_id, 'ack'), { qos: 0 }),
      ended,
    ]);
    if (grant === undefined || grant.qos === 128) throw new Error('the subscription was refused; check its ACL');
  } finally {
    clearTimeout(timer);
    stop.removeEventListener('abort', abort);
    client.end(true);
  }
}

/** A number that nobody could have kept from earlier comes back. */
async function askController(identity: GatewayIdentity, signal: AbortSignal, timeoutMs: number): Promise<void> {
  const nonce = randomUUID();
  const answer = await askDoor({
    ...identity.https,
    method: 'GET',
    path: `/api/v1/agent/proof/${nonce}`,
    ca: identity.ca,
    client: { certificate: identity.certificate, key: identity.private_key },
    maxBytes: 4096,
    timeoutMs,
    signal,
  });
  if (answer.status !== 200) throw new Error(`it answered ${answer.status}: ${answer.body.slice(0, 200)}`);
  if (answer.body !== nonce) throw new Error('it answered something else than it was asked');
}

function reasonOf({ reason }: PromiseRejectedResult): string {
  return reason instanceof Error ? reason.message : String(reason);
}
