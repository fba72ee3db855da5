/** Prevention rules: migration 0003, and what 0005 added. */
import type { DecisionDirection, Mode } from '@picket/shared/contract/decision';
import type { DeviceType } from '@picket/shared/contract/device';
import type { RuleAction } from '@picket/shared/contract/rule';

export interface RuleTables {
  rules: RuleRow;
}

/** What migration 0005 added to a rule. */
export interface RuleScope {
  /** Only this gateway; null: every one. */
  gateway_id: string | null;
  /** Only devices of this type; null: whatever `device` says. */
  device_type: DeviceType | null;
  /** JSON array. */
  device_ladder: string;
  direction: DecisionDirection | null;
  /** JSON, or null. */
  escalation: string | null;
  /** JSON, or null. */
  schedule: string | null;
  webhook_url: string | null;
}

export interface RuleRow extends RuleScope {
  id: string;
  name: string;
  is_enabled: number;
  threshold: number | null;
  /** JSON array. */
  classes: string;
  device: string | null;
  action: RuleAction;
  min_windows: number;
  of_windows: number;
  min_flows: number;
  cooldown_seconds: number;
  duration_seconds: number;
  mode: Mode | null;
  /** Rises with every change; the ETag. */
  version: number;
  created_at: string;
  updated_at: string;
  updated_by: string | null;
}
