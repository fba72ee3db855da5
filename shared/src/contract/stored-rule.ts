/** Prevention rules as the API shows and takes them. */
import { z } from 'zod';
import { Instant } from './address.ts';
import { maxDecisionSeconds } from './decision.ts';
import { DeviceType } from './device.ts';
import { GatewayId } from './identifiers.ts';
import { DeviceStep, Rule, RuleAction, SetThreshold } from './rule.ts';

const { devices: _members, ...ruleShape } = Rule.shape;

/** Where a rule holds and whom it tells: what the controller knows of it and a gateway does not. */
const scope = {
  gateway_id: GatewayId.nullable().describe('Null: on every gateway.'),
  device_type: DeviceType.nullable().describe(
    'Only for devices of this type; null: for every device, or for `device`.',
  ),
  webhook_url: z
    .url({ protocol: /^https?$/, hostname: /^.+$/ })
    .max(500)
    .nullable()
    .describe('With the action `webhook`: where the alert is posted to. Who is no admin sees its origin only.'),
};

export const StoredRule = z
  .object({
    ...ruleShape,
    ...scope,
    version: z.int().describe('Rises with every change; also in the ETag.'),
    created_at: Instant,
    updated_at: Instant,
    updated_by: z.string().nullable(),
  })
  .meta({ id: 'StoredRule' });
export type StoredRule = z.infer<typeof StoredRule>;

/** `block_ip` is what the first API called `block`. */
const RuleActionInput = z
  .enum([...RuleAction.options, 'block_ip'])
  .transform((action): RuleAction => (action === 'block_ip' ? 'block' : action));

const members = {
  name: z.string().trim().min(1).max(100),
  is_enabled: Rule.shape.is_enabled,
  threshold: SetThreshold.nullable(),
  classes: Rule.shape.classes.max(10),
  device: Rule.shape.device,
  ...scope,
  action: RuleActionInput,
  device_ladder: z.array(DeviceStep).max(5),
  direction: Rule.shape.direction.unwrap(),
  min_windows: Rule.shape.min_windows,
  of_windows: Rule.shape.of_windows,
  min_flows: Rule.shape.min_flows,
  cooldown_seconds: Rule.shape.cooldown_seconds,
  duration_seconds: z.int().min(10).max(maxDecisionSeconds),
  escalation: Rule.shape.escalation.unwrap(),
  schedule: Rule.shape.schedule.unwrap(),
  mode: Rule.shape.mode,
};

export const NewRule = z
  .strictObject({
    ...members,
    is_enabled: members.is_enabled.default(true),
    threshold: members.threshold.default(null),
    classes: members.classes.default([]),
    device: members.device.default(null),
    gateway_id: scope.gateway_id.default(null),
    device_type: scope.device_type.default(null),
    webhook_url: scope.webhook_url.default(null),
    device_ladder: members.device_ladder.default([]),
    direction: members.direction.default(null),
    min_windows: members.min_windows.default(2),
    of_windows: members.of_windows.default(3),
    min_flows: members.min_flows.default(5),
    cooldown_seconds: members.cooldown_seconds.default(60),
    duration_seconds: members.duration_seconds.default(3600),
    escalation: members.escalation.default(null),
    schedule: members.schedule.default(null),
    mode: members.mode.default(null),
  })
  .meta({ id: 'NewRule' });
export type NewRule = z.infer<typeof NewRule>;

/** Any subset. */
export const RuleChange = z.strictObject(members).partial().meta({ id: 'RuleChange' });
export type RuleChange = z.infer<typeof RuleChange>;
