/** What a person should see: the predictions of one episode, grouped. */
import { z } from 'zod';
import { TrafficClass } from '../features/traffic-classes.ts';
import { DeviceRef, Instant, IpAddress, TrafficSource } from './address.ts';
import { FlowSummary } from './flow.ts';
import { AlertId, DecisionId, PredictionId, RuleId } from './identifiers.ts';
import { Explanation } from './prediction.ts';

export const Severity = z.enum(['low', 'medium', 'high', 'critical']);
export type Severity = z.infer<typeof Severity>;

export const AlertType = z.enum(['threshold_breach', 'sustained_attack', 'new_attack_type', 'device_quarantined']);
export type AlertType = z.infer<typeof AlertType>;

export const AlertStatus = z.enum(['active', 'acknowledged', 'investigating', 'resolved', 'false_positive']);
export type AlertStatus = z.infer<typeof AlertStatus>;

export const ActionTaken = z
  .enum(['none', 'ip_blocked', 'rate_limited', 'quarantined'])
  .describe('What was done about it, for the analyst at a glance; the decisions hold the detail.');
export type ActionTaken = z.infer<typeof ActionTaken>;

/** An attack that came back this often is told anew: five weeks of pauses of five minutes, years of longer ones. */
export const maxReturns = 10_000;

/** What a database keeps in 32 bits: 68 years of a revision a second. */
const maxRevision = 2 ** 31 - 1;

/**
 * Sent when an episode opens, again when it changes, and when the same attack comes back within an hour; the controller
 * stores it by upsert on `id`.
 */
export const Alert = z
  .strictObject({
    id: AlertId,
    revision: z
      .int()
      .min(0)
      .max(maxRevision)
      .describe('Rises with every change of the same alert, so that an old copy never overwrites a new one.'),
    alert_type: AlertType,
    class: TrafficClass,
    severity: Severity,
    score: z.number().min(0).max(1).describe('Highest score of the episode, returns included.'),
    is_plain: z
      .boolean()
      .default(false)
      .describe(
        'True where its flows tell it by themselves (so many were counted, or a flood of half-open connections): as certain as a score of 1, whatever the network said. False from an older agent.',
      ),
    device: DeviceRef,
    peer: IpAddress.nullable().describe(
      'The other end that the evidence points to; null where there is not one (a spoofed flood).',
    ),
    first_seen_at: Instant.describe('Packet time of its first prediction.'),
    last_seen_at: Instant.describe('Packet time of its latest prediction.'),
    count: z.int().min(1).describe('Attack predictions in the episode.'),
    returns: z
      .int()
      .min(0)
      .max(maxReturns)
      .default(0)
      .describe(
        'How often the same attack (device, peer and class) came back: after more than five minutes of quiet, within an hour of when it was last seen. One that came back 10,000 times is told anew. 0 from an older agent, which opens another alert instead.',
      ),
    message: z.string().max(500).describe('One sentence: what, who, whom, how sure.'),
    explanation: Explanation.nullable().describe('Why the model says so; null where it was not explained.'),
    evidence: z.array(FlowSummary).max(10).describe('Flows of the window that opened the episode, oldest first.'),
    prediction_id: PredictionId.describe('The prediction that opened it.'),
    rule_id: RuleId.nullable().describe('The rule that acted; null where none did.'),
    decision_ids: z.array(DecisionId).max(20).describe('Decisions made for it, the latest 20.'),
    action_taken: ActionTaken,
    simulated: z.boolean().describe('True where `action_taken` was only counted, not done.'),
    source: TrafficSource,
    model_version: z.string().max(100).describe('Model bundle that scored it.'),
  })
  .meta({ id: 'Alert' });
export type Alert = z.infer<typeof Alert>;
