/** How a change of what gateways shall do reaches their policies. The twin answers it. */
import type { GatewayId } from '@picket/shared/contract/identifiers';
import type { Actor } from '../audit/audit-service.ts';

export interface PolicyPublisher {
  /** The rules changed: every gateway gets a new policy version, wave by wave. `by`: whoever changed them. */
  rulesChanged(by?: Actor): Promise<void>;
  /** The devices that this gateway is not to watch changed. */
  monitoringChanged(gatewayId: GatewayId): Promise<void>;
  /** Other model bundles are wanted, of the fleet or of some gateways. */
  bundlesChanged(): Promise<void>;
}
