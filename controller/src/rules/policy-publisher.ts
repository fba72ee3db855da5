/** How a change of what gateways shall do reaches their policies. The twin answers it. */
import type { GatewayId } from '@picket/shared/contract/identifiers';
import type { Actor } from '../audit/audit-service.ts';

export interface PolicyPublisher {
  /** Makes this change of the rules, and gives every gateway a new policy version, wave by wave, unless it throws. */
  changeRules<T>(by: Actor, change: () => Promise<T>): Promise<T>;
  /** The devices that this gateway is not to watch changed. */
  monitoringChanged(gatewayId: GatewayId): Promise<void>;
  /** Other model bundles are wanted, of the fleet or of some gateways. */
  bundlesChanged(): Promise<void>;
}
