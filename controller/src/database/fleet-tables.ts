/** Gateways, their certificates and health, enrolment tokens, and the log of decisions meant for each: migration 0002. */

export interface FleetTables {
  gateways: GatewaysTable;
  gateway_health: GatewayHealthTable;
  enrolment_tokens: EnrolmentTokensTable;
  certificates: CertificatesTable;
  decision_log: DecisionLogTable;
}

export interface GatewaysTable {
  id: string;
  /** JSON: record of text. */
  labels: string;
  /** What the controller wants: `observe`, `simulate` or `enforce`. */
  mode: string;
  threshold: number | null;
  /** JSON: `Policy['guard']`. */
  guard: string;
  benign_sample: number;
  enrolled_at: string;
  updated_at: string;
  revoked_at: string | null;
  revoked_by: string | null;
  online: number;
  boot_id: string | null;
  /** `at` of the presence message that counts, by the gateway's clock. */
  presence_at: string | null;
  /** When `online` last changed, by ours. */
  presence_changed_at: string | null;
  /** Where its latest connection came from; null where the broker is not ours. */
  link_address: string | null;
  agent_version: string;
  protocol: number;
  /** JSON: the latest `Health`. */
  health: string | null;
  health_at: string | null;
  /** JSON: the latest `Reported`. */
  reported: string | null;
  reported_at: string | null;
  policy_version: number;
  /** SHA-256 of the policy's content without version and times. */
  policy_hash: string | null;
  policy_jws: string | null;
  policy_issued_at: string | null;
  decisions_version: number;
}

export interface GatewayHealthTable {
  gateway_id: string;
  /** Start of the minute, ours. */
  minute: string;
  /** JSON: the last `Health` of that minute. */
  health: string;
}

export interface EnrolmentTokensTable {
  id: string;
  /** SHA-256 of the secret, hex. */
  secret_hash: string;
  /** Fixed name, or null: the gateway chooses. */
  gateway_id: string | null;
  created_by: string;
  created_at: string;
  expires_at: string;
  used_at: string | null;
  used_by: string | null;
}

export interface CertificatesTable {
  /** Hex, lower case. */
  serial: string;
  gateway_id: string;
  issued_at: string;
  not_after: string;
  revoked_at: string | null;
}

export interface DecisionLogTable {
  gateway_id: string;
  version: number;
  op: string;
  decision_id: string;
  /** JSON: `Decision`, of an `add`. */
  decision: string | null;
  /** When this step stops mattering: the end of its decision. */
  expires_at: string;
  at: string;
}
