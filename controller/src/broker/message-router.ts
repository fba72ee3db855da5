/**
 * From a message to what it means: topic, size, schema, handler. What is malformed is counted and named once a minute,
 * never fatal, and never reaches a feature.
 */
import type { Logger } from 'pino';
import { z } from 'zod';
import { EventBatch } from '@picket/shared/contract/envelope';
import type { Ack } from '@picket/shared/contract/envelope';
import { Health, Presence } from '@picket/shared/contract/gateway';
import type { GatewayId } from '@picket/shared/contract/identifiers';
import { isEventChannel, parseTopic, topics } from '@picket/shared/contract/topics';
import type { UpChannel } from '@picket/shared/contract/topics';
import { Reported } from '@picket/shared/contract/twin';

/** A batch whose envelope is sound; its events are judged one by one by whoever stores them. */
export const RawEventBatch = EventBatch.extend({
  events: z
    .array(z.looseObject({ seq: z.int().min(1) }))
    .min(1)
    .max(500),
});
export type RawEventBatch = z.infer<typeof RawEventBatch>;

export interface MessageHandlers {
  /** Known and not revoked; brokers other than ours learn of a revocation later than we do. */
  isInForce(gateway: GatewayId): Promise<boolean>;
  /** A message came from one that is not. */
  onStranger(gateway: GatewayId): void;
  /** Resolves after the commit. A rejection means: not kept, the gateway will send it again. */
  events(gateway: GatewayId, batch: RawEventBatch): Promise<Ack>;
  presence(gateway: GatewayId, presence: Presence): Promise<void>;
  reported(gateway: GatewayId, reported: Reported): Promise<void>;
  health(gateway: GatewayId, health: Health): Promise<void>;
}

export interface RouterStats {
  received: number;
  /** Wrong topic, not JSON, wrong schema, or from a gateway that is not ours. */
  malformed: number;
  /** Could not be kept for now. */
  failed: number;
}

const complainEveryMs = 60_000;
const maxPayloadBytes = 512 * 1024;

export class MessageRouter {
  readonly stats: RouterStats = { received: 0, malformed: 0, failed: 0 };
  readonly #handlers: MessageHandlers;
  readonly #publish: (topic: string, payload: string) => Promise<void>;
  readonly #log: Logger;
  #lastComplaint = -Infinity;

  constructor(handlers: MessageHandlers, publish: (topic: string, payload: string) => Promise<void>, log: Logger) {
    this.#handlers = handlers;
    this.#publish = publish;
    this.#log = log;
  }

  /** Never rejects. */
  async handle(topic: string, payload: Buffer): Promise<void> {
    this.stats.received += 1;
    try {
      const parsed = parseTopic(topic);
      if (parsed?.direction !== 'up') return this.#refuse(topic, 'no topic of a gateway');
      if (payload.length > maxPayloadBytes) return this.#refuse(topic, `${payload.length} bytes`);
      if (!(await this.#handlers.isInForce(parsed.gateway))) {
        this.#handlers.onStranger(parsed.gateway);
        return this.#refuse(topic, 'no enrolled gateway');
      }
      const problem = await this.#route(parsed.gateway, parsed.channel, payload);
      if (problem !== undefined) this.#refuse(topic, problem);
    } catch (error) {
      this.stats.failed += 1;
      this.#complain(
        { err: error, topic, failed: this.stats.failed },
        'a message could not be kept; its gateway will send it again',
      );
    }
  }

  /** Resolves with what is wrong with the message, if anything. */
  async #route(gateway: GatewayId, channel: UpChannel, payload: Buffer): Promise<string | undefined> {
    const message = parseJson(payload);
    if (message === undefined) return 'not JSON';
    if (isEventChannel(channel)) {
      const batch = RawEventBatch.safeParse(message);
      if (!batch.success) return describe(batch.error);
      if (batch.data.channel !== channel) return `a batch of ${batch.data.channel} on another channel`;
      const ack = await this.#handlers.events(gateway, batch.data);
      await this.#publish(topics.down(gateway, 'ack'), JSON.stringify(ack));
      return undefined;
    }
    switch (channel) {
      case 'presence':
        return handleAs(Presence, message, (presence) => this.#handlers.presence(gateway, presence));
      case 'reported':
        return handleAs(Reported, message, (reported) => this.#handlers.reported(gateway, reported));
      case 'health':
        return handleAs(Health, message, (health) => this.#handlers.health(gateway, health));
    }
  }

  #refuse(topic: string, reason: string): void {
    this.stats.malformed += 1;
    this.#complain(
      { topic: topic.slice(0, 256), reason, malformed: this.stats.malformed },
      'a message of a gateway was refused; does its agent speak another protocol version?',
    );
  }

  #complain(details: object, text: string): void {
    const now = Date.now();
    if (now - this.#lastComplaint < complainEveryMs) return;
    this.#lastComplaint = now;
    this.#log.warn(details, text);
  }
}

async function handleAs<T>(
  schema: z.ZodType<T>,
  message: unknown,
  handle: (value: T) => Promise<void>,
): Promise<string | undefined> {
  const parsed = schema.safeParse(message);
  if (!parsed.success) return describe(parsed.error);
  await handle(parsed.data);
  return undefined;
}

function describe(error: z.ZodError): string {
  const [issue] = error.issues;
  return `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not valid'}`;
}

function parseJson(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}
