/** Gateways and their twin in memory: who is enrolled is said by the test, and what was handed to whom is remembered. */
import type { GatewayId } from '@picket/shared/contract/identifiers';
import { protocolVersion } from '@picket/shared/contract/protocol-version';
import type { DecisionChange } from '@picket/shared/contract/twin';
import type { DecisionPublisher } from '../decisions/decision-publisher.ts';
import type { GatewayDirectory, KnownGateway } from '../devices/gateway-directory.ts';
import type { PolicyPublisher, StageRollout } from '../rules/policy-publisher.ts';
import type { UnblockPublisher } from '../unblocks/unblock-publisher.ts';

export class MemoryFleet implements GatewayDirectory, DecisionPublisher, PolicyPublisher, UnblockPublisher {
  gateways: KnownGateway[];
  readonly published: { gateway: GatewayId; change: DecisionChange }[] = [];
  readonly monitoringChanges: GatewayId[] = [];
  readonly unblocked: GatewayId[] = [];
  ruleChanges = 0;

  constructor(...ids: string[]) {
    this.gateways = ids.map((id) => ({
      id: id as GatewayId,
      online: true,
      addresses: [],
      defaultRoutes: [],
      broadcasts: [],
      guard: { admin_prefixes: [], management_ports: [22], never_block: [] },
      protocol: protocolVersion,
      unmonitored: [],
    }));
  }

  enrolled(): Promise<readonly KnownGateway[]> {
    return Promise.resolve(this.gateways);
  }

  publish(gateway: GatewayId, changes: readonly DecisionChange[]): Promise<void> {
    this.published.push(...changes.map((change) => ({ gateway, change })));
    return Promise.resolve();
  }

  async changeRules<T>(_by: unknown, change: (stage: StageRollout) => Promise<T>): Promise<T> {
    const result = await change(() => Promise.resolve());
    this.ruleChanges += 1;
    return result;
  }

  unblocksChanged(gateway: GatewayId): Promise<void> {
    this.unblocked.push(gateway);
    return Promise.resolve();
  }

  bundlesChanged(): Promise<void> {
    return Promise.resolve();
  }

  monitoringChanged(gateway: GatewayId): Promise<void> {
    this.monitoringChanges.push(gateway);
    return Promise.resolve();
  }
}
