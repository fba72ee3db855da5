/** The door through which gateways' batches come in, from `broker/message-router.ts`. */
import type { Ack } from '@picket/shared/contract/envelope';
import type { GatewayId } from '@picket/shared/contract/identifiers';
import type { EventChannel } from '@picket/shared/contract/topics';
import type { RawEvent } from './batch-order.ts';
import type { IngestService } from './ingest-service.ts';

/** A batch whose envelope is sound. Of its events only the numbers are trusted: one that does not fit must not block the rest. */
export interface RawBatch {
  readonly epoch: string;
  readonly channel: EventChannel;
  readonly events: readonly RawEvent[];
}

export class EventIngest {
  readonly #service: IngestService;

  constructor(service: IngestService) {
    this.#service = service;
  }

  /** Resolves to the acknowledgement to send, after the commit. A rejection means: send none, the gateway tries again. */
  ingestBatch(gatewayId: GatewayId, batch: RawBatch): Promise<Ack> {
    const { epoch, channel, events } = batch;
    return this.#service.store({ gatewayId, epoch, channel }, events);
  }
}
