/** What the history features need to know of gateways. The gateways feature answers it. */
import type { GatewayId } from '@picket/shared/contract/identifiers';
import type { Policy } from '@picket/shared/contract/twin';

export interface KnownGateway {
  readonly id: GatewayId;
  readonly online: boolean;
  /** Addresses by which it is known (its link, its own interfaces where reported); never a target of a decision. */
  readonly addresses: readonly string[];
  /** Next hops of its default routes, as reported; never a target either. */
  readonly defaultRoutes: readonly string[];
  /** Broadcast addresses of its subnets, as reported: no hosts. */
  readonly broadcasts: readonly string[];
  /** What its policy guards; what its own file guards beside it is not known here. */
  readonly guard: Policy['guard'];
  /** What its agent speaks. */
  readonly protocol: number;
  /** Devices that its agent leaves alone by now, as reported; null where nothing was reported yet. */
  readonly unmonitored: readonly string[] | null;
}

export interface GatewayDirectory {
  /** Every enrolled gateway that has not been revoked. */
  enrolled(): Promise<readonly KnownGateway[]>;
}
