/** How decisions made at the controller reach the gateways. The twin answers it. */
import type { GatewayId } from '@picket/shared/contract/identifiers';
import type { DecisionChange } from '@picket/shared/contract/twin';

export interface DecisionPublisher {
  /**
   * Appends these changes to the gateway's signed log and sends them. Resolves once they are kept, whether or not the
   * gateway is online: it catches up when it comes back. Publishing the same change twice does no harm.
   */
  publish(gatewayId: GatewayId, changes: readonly DecisionChange[]): Promise<void>;
}
