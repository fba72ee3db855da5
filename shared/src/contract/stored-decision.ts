/** Decisions as the API shows and takes them. */
import { z } from 'zod';
import { Instant } from './address.ts';
import {
  Decision,
  DecisionAction,
  DecisionDirection,
  DecisionScope,
  DecisionState,
  maxDecisionSeconds,
} from './decision.ts';
import { AlertId, DecisionId, GatewayId } from './identifiers.ts';

export const GatewayDecisionState = z
  .object({
    gateway_id: GatewayId,
    state: DecisionState,
    at: Instant,
    detail: z.string().nullable().describe('Why it was refused or failed, or what was verified.'),
  })
  .meta({ id: 'GatewayDecisionState' });
export type GatewayDecisionState = z.infer<typeof GatewayDecisionState>;

export const StoredDecision = z
  .object({
    ...Decision.shape,
    made_by_gateway: GatewayId.nullable().describe('Gateway that made it by itself; null: made at the controller.'),
    lifted_at: Instant.nullable().describe('When somebody lifted it before its end; null: nobody did.'),
    lifted_by: z.string().nullable().describe('User name; null: nobody.'),
    active: z.boolean().describe('Not expired and not lifted. Whether it is in the kernel is in `gateways`.'),
    gateways: z.array(GatewayDecisionState).describe('Where it stands, gateway by gateway.'),
  })
  .meta({ id: 'StoredDecision' });
export type StoredDecision = z.infer<typeof StoredDecision>;

/** Why a decision exists, for people: one line each of what, why, alert, rule, who, every gateway's word, end and way back. */
export const DecisionExplanation = z
  .object({
    decision: StoredDecision,
    lines: z
      .array(z.string())
      .describe("For people: one each of what, why, alert, rule, who, every gateway's word, end and way back."),
  })
  .meta({ id: 'DecisionExplanation' });
export type DecisionExplanation = z.infer<typeof DecisionExplanation>;

const unitSeconds = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

/** Seconds, or a number with a unit: `90s`, `15m`, `4h`, `7d`. Always finite, 10 s to 30 days. */
export const Duration = z
  .union([
    z.int(),
    z
      .string()
      .regex(/^\d{1,8}[smhd]?$/, 'seconds, or a number with a unit: 90s, 15m, 4h, 7d')
      .transform((text) => Number.parseInt(text, 10) * (unitSeconds[text.at(-1) as 'm'] ?? 1)),
  ])
  .pipe(
    z
      .int()
      .min(10, 'at least 10 seconds')
      .max(maxDecisionSeconds, `at most ${maxDecisionSeconds} seconds (30 days): a decision always ends`),
  );

/** A decision an analyst asks for. */
export const NewDecision = z
  .strictObject({
    scope: DecisionScope,
    value: z.string().trim().min(1).max(100).describe('As `scope` has it; made canonical.'),
    direction: DecisionDirection.default('both'),
    action: DecisionAction.default('block'),
    duration: Duration.describe('Seconds, or a number with a unit: `90s`, `15m`, `4h`, `7d`; 10 s to 30 days.'),
    reason: z.string().trim().min(1).max(500).describe('For whoever finds it later.'),
    gateways: z.array(GatewayId).min(1).max(10_000).optional().describe('Left out: every enrolled gateway.'),
    alert_id: AlertId.nullable().default(null).describe('The alert it is made for.'),
  })
  .meta({ id: 'NewDecision' });
export type NewDecision = z.infer<typeof NewDecision>;

/** One step of a decision on one gateway. */
export const DecisionLogEntry = z
  .object({
    id: z.string(),
    decision_id: DecisionId,
    gateway_id: GatewayId,
    action: DecisionAction,
    scope: DecisionScope,
    value: z.string(),
    origin: Decision.shape.origin,
    rule_id: Decision.shape.rule_id,
    alert_id: Decision.shape.alert_id,
    state: DecisionState,
    success: z.boolean().describe('False for refused and failed steps.'),
    detail: z.string().nullable().describe('Why it was refused or failed, or what was verified.'),
    at: Instant,
  })
  .meta({ id: 'DecisionLogEntry' });
export type DecisionLogEntry = z.infer<typeof DecisionLogEntry>;

/** What the first API answers to a block or an unblock. */
export const NetworkAction = z
  .object({
    success: z.boolean(),
    action_id: DecisionId.describe("The decision's id."),
    action_type: z.string(),
    target_value: z.string().describe('What it restricts.'),
    message: z.string(),
    executed_at: Instant,
    expires_at: Instant,
  })
  .meta({ id: 'NetworkAction' });
export type NetworkAction = z.infer<typeof NetworkAction>;
