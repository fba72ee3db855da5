/** Prevention rules: when predictions match, propose an action. */
import { z } from 'zod';
import { TrafficClass } from '../features/traffic-classes.ts';
import { MacAddress, IpAddress } from './address.ts';
import { DecisionDirection, Mode, maxDecisionSeconds } from './decision.ts';
import { RuleId } from './identifiers.ts';

export const RuleAction = z
  .enum(['block', 'rate_limit', 'no_wan', 'quarantine', 'alert_only', 'webhook'])
  .describe('`webhook` restricts nothing on the gateway: its controller tells another program of the alert.');
export type RuleAction = z.infer<typeof RuleAction>;

export const DeviceStep = z
  .enum(['observe', 'cut_destination', 'rate_limit', 'no_wan', 'quarantine'])
  .describe(
    'What is done to a device of the LAN that attacks, from gentle to harsh. `cut_destination` cuts it from the one host that it talks to where it should not, and is passed over where there is no such host.',
  );
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
export const RuleSchedule = z
  .strictObject({
    days: z.array(Weekday).min(1).max(7).describe('Days on which it begins.'),
    from: TimeOfDay.describe('Time of day, 24 hours, in `time_zone`.'),
    until: TimeOfDay.describe('Time of day at which it ends; before `from` it goes over midnight.'),
    time_zone: z
      .string()
      .max(60)
      .refine(isTimeZone, 'a name of the time zone database: UTC, Europe/Berlin')
      .default('UTC')
      .describe('A name of the time zone database.'),
  })
  .meta({ id: 'RuleSchedule' });
export type RuleSchedule = z.infer<typeof RuleSchedule>;

/** Who comes back is held longer: each time `factor` times as long as before, and forgotten after a while. */
export const Escalation = z
  .strictObject({
    factor: z.number().min(1).max(24).describe('Each time so many times as long as the time before.'),
    max_duration_seconds: z.int().min(10).max(maxDecisionSeconds).describe('Never longer than this.'),
    forget_after_seconds: z
      .int()
      .min(60)
      .max(maxDecisionSeconds)
      .describe('Quiet for this long after its last decision, an offender is a first one again.'),
  })
  .meta({ id: 'Escalation' });
export type Escalation = z.infer<typeof Escalation>;

/** Lower, what is peaceful is an attack as well, and everybody is cut. */
export const lowestThreshold = 0.01;

/** What is asked of a threshold that somebody sets. Not of `Rule` itself: what was stored before must stay readable. */
export const SetThreshold = z
  .number()
  .min(lowestThreshold, 'at least 0.01: below it every window counts as an attack; null takes the threshold in force')
  .max(1);

export const Rule = z
  .strictObject({
    id: RuleId,
    name: z.string().min(1).max(100),
    is_enabled: z.boolean().describe('False: it does nothing, and holds nothing back.'),
    threshold: z
      .number()
      .min(0)
      .max(1)
      .nullable()
      .describe('Null: the threshold in force otherwise (gateway, setting, bundle).'),
    classes: z.array(TrafficClass.exclude(['benign'])).describe('Empty: every attack class.'),
    device: IpAddress.or(MacAddress).nullable().describe('Null: every device, or those of `devices`.'),
    devices: z
      .array(IpAddress.or(MacAddress))
      .max(500)
      .default([])
      .describe('The members of a group, as the controller knows them; empty: no group is meant.'),
    action: RuleAction,
    device_ladder: z
      .array(DeviceStep)
      .max(5)
      .default([])
      .describe(
        'What to do instead where the offender is a device of the LAN: the first step, and the next one each time that it goes on in spite of it. Empty: `action` for devices as well.',
      ),
    direction: DecisionDirection.nullable()
      .default(null)
      .describe('Which way is cut, seen from the offender; null: what the evidence asks for.'),
    min_windows: z.int().min(1).max(20).describe('N: how many of the last M windows must be attacks of these classes.'),
    of_windows: z.int().min(1).max(20).describe('M: how many of the latest scored windows of a device are looked at.'),
    min_flows: z.int().min(1).max(10).describe('Windows with fewer flows do not count.'),
    cooldown_seconds: z.int().min(0).max(86_400).describe('After it fired for a device and peer, it rests this long.'),
    duration_seconds: z.int().min(10).max(maxDecisionSeconds).describe('Length of the decision; always finite.'),
    escalation: Escalation.nullable().default(null).describe('Null: always as long.'),
    schedule: RuleSchedule.nullable().default(null).describe('Null: at any time.'),
    mode: Mode.nullable().describe("Null: the gateway's mode. A rule may be gentler than its gateway, never harsher."),
  })
  .meta({ id: 'Rule' });
export type Rule = z.infer<typeof Rule>;
