/** What a rule would have done: asked before it is switched on. */
import { z } from 'zod';
import { TrafficClass } from '../features/traffic-classes.ts';
import { Instant } from './address.ts';
import { Decision } from './decision.ts';
import { AlertId, DecisionId, GatewayId, PredictionId, RuleId } from './identifiers.ts';
import { NewRule } from './stored-rule.ts';

/** Either a rule that is there, or one that is not yet. */
export const DryRunRequest = z.union([
  z.strictObject({ rule_id: RuleId, days: z.int().min(1).max(7).default(7) }),
  z.strictObject({ rule: NewRule, days: z.int().min(1).max(7).default(7) }),
]);
export type DryRunRequest = z.infer<typeof DryRunRequest>;

/** One restriction that the rule would have asked for. */
export const DryRunRestriction = z.object({
  action: Decision.shape.action,
  scope: Decision.shape.scope,
  value: Decision.shape.value,
  direction: Decision.shape.direction,
  /** How often it would have been made, and from when on. */
  times: z.int(),
  first_at: Instant,
  last_at: Instant,
  /** Length of the longest, in seconds. */
  longest_seconds: z.int(),
  classes: z.array(TrafficClass),
  gateways: z.array(GatewayId),
  /** Addresses of devices that it would have been made for; the first ten. */
  devices: z.array(z.string()),
  /** The first five predictions that it rests on. */
  prediction_ids: z.array(PredictionId),
  /** How many of `times` people have called wrong since. */
  false_times: z.int(),
  /** Alerts of the same attack that were resolved as false positives, and lifted decisions of the same value; the first ten. */
  false_positive_alerts: z.array(AlertId),
  released_decisions: z.array(DecisionId),
});
export type DryRunRestriction = z.infer<typeof DryRunRestriction>;

export const DryRunSummary = z.object({
  from: Instant,
  /** Of the last window that was looked at. */
  until: Instant,
  /** There were more windows than are looked at in one go: those after `until` were left out. */
  truncated: z.boolean(),
  windows: z.int(),
  /** Windows of which no flow is kept any more: whom to restrict cannot be told for them. */
  windows_without_flows: z.int(),
  /** Windows with which the rule was met. */
  proven: z.int(),
  /** Different restrictions, how often they would have been made, and how many of those were called wrong. */
  restrictions: z.int(),
  times: z.int(),
  false_times: z.int(),
  /** How often it would have asked for what its gateway refuses to hold; not among `times`. */
  refused_times: z.int(),
  /** What the figures cannot know, for people. */
  caveats: z.array(z.string()),
});
export type DryRunSummary = z.infer<typeof DryRunSummary>;

export const RuleDryRun = z.object({
  summary: DryRunSummary,
  /** Most often first. */
  items: z.array(DryRunRestriction),
  next_cursor: z.string().nullable(),
});
export type RuleDryRun = z.infer<typeof RuleDryRun>;
