/** A controller link for tests that ends in memory: what was sent is kept, what shall arrive is handed in. */
import type { EventBatch } from '@picket/shared/contract/envelope';
import type { Health } from '@picket/shared/contract/gateway';
import type { Reported } from '@picket/shared/contract/twin';
import type { ControllerLink, LinkHandlers } from '../report/controller-link.ts';

export class MemoryLink implements ControllerLink {
  readonly batches: EventBatch[] = [];
  readonly reported: Reported[] = [];
  readonly health: Health[] = [];
  /** Answer to the next fetch of decisions; without one it fails. */
  snapshot: string | undefined;
  /** How often the snapshot was asked for. */
  fetches = 0;
  connected = false;
  handlers: LinkHandlers | undefined;

  connect(handlers: LinkHandlers): void {
    this.handlers = handlers;
    this.connected = true;
    handlers.onConnected();
  }

  disconnect(): void {
    this.connected = false;
    this.handlers?.onDisconnected('by the test');
  }

  /** Acknowledges every batch that was sent so far. */
  acknowledgeAll(): void {
    for (const batch of this.batches.splice(0)) {
      const upto = batch.events.at(-1)?.seq ?? 0;
      this.handlers?.onAck({ epoch: batch.epoch, channel: batch.channel, upto });
    }
  }

  async sendBatch(batch: EventBatch): Promise<void> {
    this.#mustBeConnected();
    this.batches.push(batch);
  }

  async sendReported(reported: Reported): Promise<void> {
    this.#mustBeConnected();
    this.reported.push(reported);
  }

  async sendHealth(health: Health): Promise<void> {
    this.#mustBeConnected();
    this.health.push(health);
  }

  async fetchDecisions(): Promise<string> {
    this.fetches += 1;
    if (this.snapshot === undefined) throw new Error('the door is closed');
    return this.snapshot;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.connected = false;
  }

  #mustBeConnected(): void {
    if (!this.connected) throw new Error('the controller is not connected');
  }
}
