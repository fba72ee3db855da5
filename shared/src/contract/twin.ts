/**
 * Desired and reported state of a gateway. `policy` and `decisions` travel as compact JWS (EdDSA) made by the controller;
 * an agent remembers the highest versions it accepted and refuses older, expired, foreign or tampered ones.
 */
import { z } from 'zod';
import { Instant, IpAddress, Port } from './address.ts';
import { Decision, Mode } from './decision.ts';
import { DecisionId, GatewayId } from './identifiers.ts';
import { BundleReference } from './model-manifest.ts';
import { Rule } from './rule.ts';
import { UnblockOrder } from './unblock.ts';

/** `typ` header of the two signed documents: one can never be taken for the other. */
export const policyTyp = 'picket-policy+jws';
export const decisionsTyp = 'picket-decisions+jws';

/** What the controller wants of a gateway, as one small document. */
export const Policy = z
  .strictObject({
    audience: GatewayId,
    version: z.int().min(1),
    issued_at: Instant,
    expires_at: Instant,
    mode: Mode,
    threshold: z.number().min(0).max(1).nullable().describe("Null: the bundle's."),
    rules: z.array(Rule).max(200),
    guard: z
      .strictObject({
        admin_prefixes: z
          .array(z.string().max(50))
          .max(50)
          .describe('Prefixes whose hosts keep their way to the management ports of the gateway.'),
        management_ports: z.array(Port).max(20).describe('Ports of the gateway that `admin_prefixes` keep.'),
        never_block: z
          .array(z.string().max(50))
          .max(200)
          .describe('Forwarded conversations with these hosts or prefixes are never cut.'),
      })
      .describe('What may never be cut.'),
    report: z.strictObject({
      benign_sample: z
        .number()
        .min(0)
        .max(1)
        .describe('Share of benign flows and predictions that are reported in full, 0 to 1.'),
    }),
    unmonitored: z.array(IpAddress).max(1000).describe('Addresses (devices of the LAN) that are not to be watched.'),
    bundle: BundleReference.optional().describe(
      "The model bundle to serve; fetched by its hash. Left out: the gateway's own.",
    ),
    confirm_within_seconds: z
      .int()
      .min(1)
      .max(600)
      .optional()
      .describe(
        'The change counts only once the gateway proved within this many seconds, over new connections, that it still reaches broker and controller; else it puts the previous policy back. Only for agents of protocol 2; left out: no proof is asked for.',
      ),
  })
  .meta({ id: 'Policy' });
export type Policy = z.infer<typeof Policy>;

/** One step in the log of analyst and fleet decisions. */
export const DecisionChange = z.discriminatedUnion('op', [
  z.strictObject({ op: z.literal('add'), decision: Decision }),
  /** Lifts a decision of any origin. */
  z.strictObject({ op: z.literal('delete'), decision_id: DecisionId }),
]);
export type DecisionChange = z.infer<typeof DecisionChange>;

/** Payload of `down/decisions`. */
export const DecisionsMessage = z.discriminatedUnion('type', [
  /** Steps from `from_version` (exclusive) to `version`; an agent that is not at `from_version` fetches the snapshot. */
  z.strictObject({
    type: z.literal('delta'),
    audience: GatewayId,
    from_version: z.int().min(0),
    version: z.int().min(1),
    issued_at: Instant,
    expires_at: Instant,
    changes: z.array(DecisionChange).min(1).max(500),
  }),
  /** All that shall hold at `version`, and what has been lifted of the gateway's own making; answer to GET …/agent/decisions. */
  z.strictObject({
    type: z.literal('snapshot'),
    audience: GatewayId,
    version: z.int().min(0),
    issued_at: Instant,
    expires_at: Instant,
    decisions: z.array(Decision).max(20_000),
    lifted: z.array(DecisionId).max(20_000),
  }),
  /** Only where the log stands, so that an agent notices that it missed something. */
  z.strictObject({
    type: z.literal('head'),
    audience: GatewayId,
    version: z.int().min(0),
    issued_at: Instant,
    expires_at: Instant,
  }),
  /** Unblocks that this gateway owes the proof of; outside the log, answered one by one. Only for agents of protocol 2. */
  z.strictObject({
    type: z.literal('unblock'),
    audience: GatewayId,
    issued_at: Instant,
    expires_at: Instant,
    unblocks: z.array(UnblockOrder).min(1).max(100),
  }),
]);
export type DecisionsMessage = z.infer<typeof DecisionsMessage>;

export const ReportedStep = z
  .enum(['received', 'validated', 'applied', 'verified', 'confirmed', 'refused', 'failed', 'rolled_back'])
  .describe(
    'The ladder a desired document climbs: `received` it waits (the detail says for what), `validated` it is ours and new, `applied` everything in it was asked for, `verified` the kernel was read back, `confirmed` broker and controller answered over new connections. `refused`, `failed` and `rolled_back` changed nothing in the end: what held before holds.',
  );
export type ReportedStep = z.infer<typeof ReportedStep>;

/**
 * How far a gateway got with its model bundle: `received` it is being fetched, `validated` it was verified and survived
 * the probe, `verified` it serves. `refused` and `failed` say why in `detail`; the active one goes on serving.
 */
export const BundleReported = z
  .strictObject({
    active: BundleReference.describe('What scores now.'),
    desired: BundleReference.nullable().describe('Null: nothing but its own is wanted.'),
    step: ReportedStep,
    detail: z.string().max(500).nullable().describe('Why it was refused or failed.'),
  })
  .meta({ id: 'BundleReported' });
export type BundleReported = z.infer<typeof BundleReported>;

/** Where the policy stands. The optional members are told to controllers that ask for confirmation. */
export const PolicyReported = z
  .strictObject({
    version: z.int().min(0),
    step: ReportedStep,
    detail: z.string().max(500).nullable().describe('Why it was refused, failed, waits or was rolled back.'),
    in_force: z
      .int()
      .min(0)
      .optional()
      .describe("The version whose content holds now: after a put-back the one before. 0: the gateway's own settings."),
    steps: z
      .array(z.strictObject({ step: ReportedStep, at: Instant }))
      .max(16)
      .optional()
      .describe('How this version came to `step`, oldest first; the latest ones where there were more.'),
  })
  .meta({ id: 'PolicyReported' });
export type PolicyReported = z.infer<typeof PolicyReported>;

/** What a gateway refuses to restrict because it stands on it; the controller refuses the same at once. */
export const GuardedAddresses = z
  .strictObject({
    own: z.array(IpAddress).max(200).describe('Addresses of its own interfaces.'),
    default_routes: z.array(IpAddress).max(50).describe('Next hops of its default routes.'),
    broadcasts: z
      .array(IpAddress)
      .max(200)
      .optional()
      .describe('Broadcast addresses of the subnets on its interfaces. Left out by older agents.'),
  })
  .meta({ id: 'GuardedAddresses' });
export type GuardedAddresses = z.infer<typeof GuardedAddresses>;

/** Retained on `up/reported`: what the gateway says is so. */
export const Reported = z
  .strictObject({
    at: Instant,
    policy: PolicyReported,
    decisions: z.strictObject({
      version: z.int().min(0).describe('Version of the log of decisions that it followed to.'),
      step: ReportedStep,
      detail: z.string().max(500).nullable(),
      in_force: z.int().min(0).describe('Decisions in its kernel.'),
    }),
    mode: Mode,
    model_version: z.string().max(100).describe('Model bundle that scores now.'),
    bundle: BundleReported.optional().describe('Left out by older agents.'),
    threshold: z.number().min(0).max(1).describe('In force, 0 to 1.'),
    guarded: GuardedAddresses.optional().describe('Told to controllers that ask for confirmation.'),
  })
  .meta({ id: 'Reported' });
export type Reported = z.infer<typeof Reported>;
