/** The door through which gateways' batches come in. The envelope must fit; its events are judged one by one. */
import type { Ack } from '@picket/shared/contract/envelope';
import { EventBatch } from '@picket/shared/contract/envelope';
import type { GatewayId } from '@picket/shared/contract/identifiers';
import { z } from 'zod';
import { InvalidInput } from '../errors.ts';
import type { IngestService } from './ingest-service.ts';

/** One event that does not fit must not block its channel for ever: only its number is needed here. */
const Envelope = EventBatch.extend({
  events: z
    .array(z.looseObject({ seq: z.int().min(1) }))
    .min(1)
    .max(500),
});

export class EventIngest {
  readonly #service: IngestService;

  constructor(service: IngestService) {
    this.#service = service;
  }

  /**
   * `payload`: what came on one of the gateway's event channels, as parsed JSON. Resolves to the acknowledgement to send,
   * after the commit. Throws `InvalidInput` for what is no batch at all, which cannot be acknowledged; any other failure
   * means: send nothing, the gateway tries again.
   */
  async ingestBatch(gatewayId: GatewayId, payload: unknown): Promise<Ack> {
    const batch = Envelope.safeParse(payload);
    if (!batch.success) {
      const [issue] = batch.error.issues;
      throw new InvalidInput(`not a batch of events: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`);
    }
    const { epoch, channel, events } = batch.data;
    return this.#service.store({ gatewayId, epoch, channel }, events);
  }
}
