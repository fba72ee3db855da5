/** Prevention rules: when predictions match, propose an action. */
import { z } from 'zod';
import { TrafficClass } from '../features/traffic-classes.ts';
import { MacAddress, IpAddress } from './address.ts';
import { DecisionDirection, Mode, maxDecisionSeconds } from './decision.ts';
import { RuleId } from './identifiers.ts';

/** `webhook` restricts nothing on the gateway: its controller tells another program of the alert. */
export const RuleAction = z.enum(['block', 'rate_limit', 'no_wan', 'quarantine', 'alert_only', 'webhook']);
export type RuleAction = z.infer<typeof RuleAction>;

/**
 * What is done to a device of the LAN that attacks, from gentle to harsh. `cut_destination` cuts it from the one host
 * that it talks to where it should not, and is passed over where there is no such host.
 */
export const DeviceStep = z.enum(['observe', 'cut_destination', 'rate_limit', 'no_wan', 'quarantine']);
export type DeviceStep = z.infer<typeof DeviceStep>;

export const Weekday = z.enum(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']);
export type Weekday = z.infer<typeof Weekday>;

const TimeOfDay = z.string().regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/, 'a time of day from 00:00 to 23:59');

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

/**
 * When a rule acts; outside it still alerts. `until` before `from` goes over midnight and belongs to the day it began;
 * equal, it is the whole day.
 */
export const RuleSchedule = z.strictObject({
  days: z.array(Weekday).min(1).max(7),
  from: TimeOfDay,
  until: TimeOfDay,
  time_zone: z
    .string()
    .max(60)
    .refine(isTimeZone, 'a name of the time zone database: UTC, Europe/Berlin')
    .default('UTC'),
});
export type RuleSchedule = z.infer<typeof RuleSchedule>;

/** Who comes back is held longer: each time `factor` times as long as before, and forgotten after a while. */
export const Escalation = z.strictObject({
  factor: z.number().min(1).max(24),
  max_duration_seconds: z.int().min(10).max(maxDecisionSeconds),
  /** Quiet for this long after its last decision, an offender is a first one again. */
  forget_after_seconds: z.int().min(60).max(maxDecisionSeconds),
});
export type Escalation = z.infer<typeof Escalation>;

/** Lower, what is peaceful is an attack as well, and everybody is cut. */
export const lowestThreshold = 0.01;

/** What is asked of a threshold that somebody sets. Not of `Rule` itself: what was stored before must stay readable. */
export const SetThreshold = z
  .number()
  .min(lowestThreshold, 'at least 0.01: below it every window counts as an attack; null takes the threshold in force')
  .max(1);

export const Rule = z.strictObject({
  id: RuleId,
  name: z.string().min(1).max(100),
  is_enabled: z.boolean(),
  /** Null: the threshold in force otherwise (gateway, setting, bundle). */
  threshold: z.number().min(0).max(1).nullable(),
  /** Empty: every attack class. */
  classes: z.array(TrafficClass.exclude(['benign'])),
  /** Null: every device, or those of `devices`. */
  device: IpAddress.or(MacAddress).nullable(),
  /** The members of a group, as the controller knows them; empty: no group is meant. */
  devices: z.array(IpAddress.or(MacAddress)).max(500).default([]),
  action: RuleAction,
  /**
   * What to do instead where the offender is a device of the LAN: the first step, and the next one each time that it
   * goes on in spite of it. Empty: `action` for devices as well.
   */
  device_ladder: z.array(DeviceStep).max(5).default([]),
  /** Which way is cut, seen from the offender; null: what the evidence asks for. */
  direction: DecisionDirection.nullable().default(null),
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
  /** Null: always as long. */
  escalation: Escalation.nullable().default(null),
  /** Null: at any time. */
  schedule: RuleSchedule.nullable().default(null),
  /** Null: the gateway's mode. A rule may be gentler than its gateway, never harsher. */
  mode: Mode.nullable(),
});
export type Rule = z.infer<typeof Rule>;
