/** How a change of what gateways shall do reaches their policies. The twin answers it. */
import type { GatewayId } from '@picket/shared/contract/identifiers';
import type { Actor } from '../audit/audit-service.ts';
import type { Executor } from '../database/executor.ts';

/**
 * Writes down, within the transaction that changes the rules, that they go out wave by wave: no other controller ever
 * sees the one without the other.
 */
export type StageRollout = (transaction: Executor) => Promise<void>;

export interface PolicyPublisher {
  /** Makes this change of the rules, and gives every gateway a new policy version, wave by wave, unless it throws. */
  changeRules<T>(by: Actor, change: (stage: StageRollout) => Promise<T>): Promise<T>;
  /** The devices that this gateway is not to watch changed. */
  monitoringChanged(gatewayId: GatewayId): Promise<void>;
  /** Other model bundles are wanted, of the fleet or of some gateways. */
  bundlesChanged(): Promise<void>;
}
