/** What a rule would have done: asked before it is switched on. */
import { z } from 'zod';
import { TrafficClass } from '../features/traffic-classes.ts';
import { Instant } from './address.ts';
import { Decision } from './decision.ts';
import { AlertId, DecisionId, GatewayId, PredictionId, RuleId } from './identifiers.ts';
import { NewRule } from './stored-rule.ts';

/** Either a rule that is there, or one that is not yet. */
export const DryRunRequest = z.union([
  z.strictObject({
    rule_id: RuleId.describe('A rule that is there.'),
    days: z.int().min(1).max(7).default(7).describe('How many of the last days are looked at.'),
  }),
  z.strictObject({
    rule: NewRule.describe('A rule that is not there yet.'),
    days: z.int().min(1).max(7).default(7).describe('How many of the last days are looked at.'),
  }),
]);
export type DryRunRequest = z.infer<typeof DryRunRequest>;

/** One restriction that the rule would have asked for. */
export const DryRunRestriction = z
  .object({
    action: Decision.shape.action,
    scope: Decision.shape.scope,
    value: Decision.shape.value,
    direction: Decision.shape.direction,
    times: z.int().describe('How often it would have been made.'),
    first_at: Instant.describe('When it would have been made first.'),
    last_at: Instant.describe('When it would have been made last.'),
    longest_seconds: z.int().describe('Length of the longest, in seconds.'),
    classes: z.array(TrafficClass),
    gateways: z.array(GatewayId).describe('Gateways that would have made it.'),
    devices: z.array(z.string()).describe('Addresses of devices that it would have been made for; the first ten.'),
    prediction_ids: z.array(PredictionId).describe('The first five predictions that it rests on.'),
    false_times: z.int().describe('How many of `times` people have called wrong since.'),
    false_positive_alerts: z
      .array(AlertId)
      .describe('Alerts of the same attack that were resolved as false positives; the first ten.'),
    released_decisions: z.array(DecisionId).describe('Decisions of the same value that people lifted; the first ten.'),
  })
  .meta({ id: 'DryRunRestriction' });
export type DryRunRestriction = z.infer<typeof DryRunRestriction>;

export const DryRunSummary = z
  .object({
    from: Instant.describe('Of the first window that was looked at.'),
    until: Instant.describe('Of the last window that was looked at.'),
    truncated: z
      .boolean()
      .describe('There were more windows than are looked at in one go: those after `until` were left out.'),
    windows: z.int().describe('Windows that were looked at.'),
    windows_without_flows: z
      .int()
      .describe('Windows of which no flow is kept any more: whom to restrict cannot be told for them.'),
    proven: z.int().describe('Windows with which the rule was met.'),
    restrictions: z.int().describe('Different restrictions.'),
    times: z.int().describe('How often they would have been made in all.'),
    false_times: z.int().describe('How many of `times` people have called wrong since.'),
    refused_times: z
      .int()
      .describe('How often it would have asked for what its gateway refuses to hold; not among `times`.'),
    caveats: z.array(z.string()).describe('What the figures cannot know, for people.'),
  })
  .meta({ id: 'DryRunSummary' });
export type DryRunSummary = z.infer<typeof DryRunSummary>;

export const RuleDryRun = z
  .object({
    summary: DryRunSummary,
    items: z.array(DryRunRestriction).describe('Most often first.'),
    next_cursor: z.string().nullable(),
  })
  .meta({ id: 'RuleDryRun' });
export type RuleDryRun = z.infer<typeof RuleDryRun>;
