/** Fleet-wide unblocks and what each gateway answered: migration 0006. */

export interface UnblockTables {
  unblocks: UnblocksTable;
  unblock_gateways: UnblockGatewaysTable;
}

export interface UnblocksTable {
  id: string;
  value: string;
  include_prefixes: number;
  reason: string;
  asked_by: string;
  asked_at: string;
}

export interface UnblockGatewaysTable {
  unblock_id: string;
  gateway_id: string;
  /** `owing`, or an `UnblockOutcome`. */
  state: string;
  at: string | null;
  /** JSON: the `UnblockProof`. */
  proof: string | null;
}
