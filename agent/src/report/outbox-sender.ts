/**
 * Empties the outbox towards the controller: one batch of each channel in flight, the next after the acknowledgement, the
 * same again when none comes. Whether anybody is there, and for how long not, is the link's business.
 */
import type { Logger } from 'pino';
import type { Ack, EventBatch } from '@picket/shared/contract/envelope';
import type { BootId } from '@picket/shared/contract/identifiers';
import { eventChannels } from '@picket/shared/contract/topics';
import type { EventChannel } from '@picket/shared/contract/topics';
import type { Outbox } from './outbox.ts';

export interface OutboxSenderOptions {
  readonly outbox: Outbox;
  readonly bootId: BootId;
  /** Resolves when the broker took the batch; may reject. */
  readonly send: (batch: EventBatch) => Promise<void>;
  readonly log: Pick<Logger, 'warn'>;
  /** Wait for an acknowledgement, doubled at each repetition up to twelve times as long. */
  readonly ackTimeoutMs?: number;
}

interface Lane {
  inFlight: boolean;
  /** Last sequence number of the batch in flight. */
  upto: number;
  repetitions: number;
  timer: NodeJS.Timeout | undefined;
}

export class OutboxSender implements Disposable {
  readonly #options: OutboxSenderOptions;
  readonly #lanes: ReadonlyMap<EventChannel, Lane> = new Map(
    eventChannels.map((channel) => [channel, { inFlight: false, upto: 0, repetitions: 0, timer: undefined }]),
  );
  #connected = false;
  #repeated = 0;

  constructor(options: OutboxSenderOptions) {
    this.#options = options;
  }

  /** Batches that were sent again because no acknowledgement came. */
  get repeated(): number {
    return this.#repeated;
  }

  onConnected(): void {
    this.#connected = true;
    this.#releaseAll();
    this.wake();
  }

  onDisconnected(): void {
    this.#connected = false;
    this.#releaseAll();
  }

  onAck(ack: Ack): void {
    const lane = this.#lane(ack.channel);
    const known = this.#options.outbox.acknowledge(ack);
    if (known && ack.upto < lane.upto) return; // kept in part; the timer sends the rest again
    this.#release(ack.channel, lane);
    lane.repetitions = 0;
    this.#send(ack.channel);
  }

  /** There may be something new in the outbox. */
  wake(): void {
    for (const channel of eventChannels) this.#send(channel);
  }

  [Symbol.dispose](): void {
    this.onDisconnected();
  }

  #send(channel: EventChannel): void {
    const lane = this.#lane(channel);
    if (!this.#connected || lane.inFlight || this.#options.outbox.waiting(channel) === 0) return;
    const batch = this.#options.outbox.nextBatch(channel, this.#options.bootId);
    if (batch === undefined) return;
    lane.inFlight = true;
    lane.upto = batch.events.at(-1)?.seq ?? 0;
    const wait =
      (this.#options.ackTimeoutMs ?? 5000) * Math.min(12, 2 ** lane.repetitions) * (0.75 + Math.random() / 2);
    lane.timer = setTimeout(() => this.#repeat(channel, lane), wait);
    this.#options.send(batch).catch((error: unknown) => {
      this.#options.log.warn({ err: error, channel }, 'a batch could not be sent; it will be sent again');
    });
  }

  #repeat(channel: EventChannel, lane: Lane): void {
    this.#release(channel, lane);
    lane.repetitions += 1;
    this.#repeated += 1;
    this.#send(channel);
  }

  #release(channel: EventChannel, lane: Lane): void {
    clearTimeout(lane.timer);
    lane.inFlight = false;
    this.#options.outbox.release(channel);
  }

  #releaseAll(): void {
    for (const [channel, lane] of this.#lanes) {
      this.#release(channel, lane);
      lane.repetitions = 0;
    }
  }

  #lane(channel: EventChannel): Lane {
    return this.#lanes.get(channel) as Lane;
  }
}
