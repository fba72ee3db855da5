/** Rollouts of prevention rules: migration 0007. */

export interface RolloutTables {
  rollouts: RolloutsTable;
  rollout_gateways: RolloutGatewaysTable;
}

export interface RolloutsTable {
  id: string;
  /** `RolloutState`. */
  state: string;
  detail: string | null;
  wave: number | null;
  started_at: string;
  started_by: string;
  updated_at: string;
  /** Rises with every change: of two controllers one makes it. */
  revision: number;
}

export interface RolloutGatewaysTable {
  rollout_id: string;
  gateway_id: string;
  wave: number;
  /** `RolloutGatewayState`. */
  state: string;
  version: number | null;
  reverted_version: number | null;
  released_at: string;
  detail: string | null;
  /** JSON: the rules that it had before. */
  previous_rules: string;
}
