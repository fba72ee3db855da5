/** Prevention rules: when predictions match, propose an action. */
import { z } from 'zod';
import { TrafficClass } from '../features/traffic-classes.ts';
import { MacAddress, IpAddress } from './address.ts';
import { Mode, maxDecisionSeconds } from './decision.ts';
import { RuleId } from './identifiers.ts';

export const RuleAction = z.enum(['block', 'rate_limit', 'quarantine', 'alert_only']);
export type RuleAction = z.infer<typeof RuleAction>;

export const Rule = z.strictObject({
  id: RuleId,
  name: z.string().min(1).max(100),
  is_enabled: z.boolean(),
  /** Null: the threshold in force otherwise (gateway, setting, bundle). */
  threshold: z.number().min(0).max(1).nullable(),
  /** Empty: every attack class. */
  classes: z.array(TrafficClass.exclude(['benign'])),
  /** Null: every device. */
  device: IpAddress.or(MacAddress).nullable(),
  action: RuleAction,
  /** N … */
  min_windows: z.int().min(1).max(20),
  /** … of the last M scored windows of the device must be attacks of these classes. */
  of_windows: z.int().min(1).max(20),
  /** Windows with fewer flows do not count. */
  min_flows: z.int().min(1).max(10),
  /** After it fired for a device and peer, rest this long. */
  cooldown_seconds: z.int().min(0).max(86_400),
  /** Length of the decision; always finite. */
  duration_seconds: z.int().min(10).max(maxDecisionSeconds),
  /** Null: the gateway's mode. A rule may be gentler than its gateway, never harsher. */
  mode: Mode.nullable(),
});
export type Rule = z.infer<typeof Rule>;
