/** How an unblock reaches a gateway. The twin answers it. */
import type { GatewayId } from '@picket/shared/contract/identifiers';

export interface UnblockPublisher {
  /** Sends all that this gateway owes the proof of. Never rejects for a broker that is away: it is asked again. */
  unblocksChanged(gatewayId: GatewayId): Promise<void>;
}
