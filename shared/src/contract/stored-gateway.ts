/** Gateways as the API shows and takes them: what is wanted of each, what it says is so, and what was lost on the way. */
import { z } from 'zod';
import { GuardEntry, GuardPrefix } from '../policy/guard-prefix.ts';
import { Instant } from './address.ts';
import { Mode } from './decision.ts';
import { Health } from './gateway.ts';
import { BootId, GatewayId } from './identifiers.ts';
import { SetThreshold } from './rule.ts';
import { BundleReported, Policy, ReportedStep } from './twin.ts';

export const GatewayStatus = z.enum(['online', 'offline', 'revoked']);
export type GatewayStatus = z.infer<typeof GatewayStatus>;

export const GatewayLabels = z.record(z.string().min(1).max(50), z.string().max(200));

/** One of the two desired documents, and how far the gateway got with it. */
const Ladder = z.object({
  desired_version: z.int().describe('What the controller wants.'),
  reported: z
    .object({
      version: z.int(),
      step: ReportedStep,
      detail: z.string().nullable().describe('Why it was refused, failed, waits or was rolled back.'),
      in_force: z
        .int()
        .nullable()
        .describe(
          "The version whose content holds: after a put-back the one before; 0: the gateway's own settings. Null: not said.",
        ),
      steps: z
        .array(z.object({ step: ReportedStep, at: Instant }))
        .describe('How this version came to `step`, oldest first.'),
    })
    .nullable()
    .describe('What the gateway says of it. Null: it said nothing yet.'),
  in_sync: z
    .boolean()
    .describe(
      'It has the newest version, and that version holds for good: read back from the kernel, and confirmed where it is a policy.',
    ),
});

export const StoredGateway = z
  .object({
    id: GatewayId,
    status: GatewayStatus,
    labels: GatewayLabels.describe('Words of your own; `canary` puts it into the first wave of rollouts.'),
    mode: Mode.describe('Wanted; `twin` says what is so.'),
    threshold: z.number().nullable().describe("Null: the model bundle's."),
    guard: Policy.shape.guard.describe("What this gateway's policy guards; what its own file lists holds beside it."),
    benign_sample: z.number().describe('Share of benign traffic that is reported in full, 0 to 1.'),
    enrolled_at: Instant,
    updated_at: Instant,
    revoked_at: Instant.nullable().describe('Null: it is not revoked.'),
    presence_changed_at: Instant.nullable().describe("When it last came or went, by the controller's clock."),
    boot_id: BootId.nullable().describe('Changes with each start of the agent; null: it was never there.'),
    agent_version: z.string(),
    protocol: z.int().describe('Highest protocol version that its agent speaks.'),
    twin: z
      .object({
        policy: Ladder,
        decisions: Ladder,
        reported_at: Instant.nullable().describe('When it last said so; null: never.'),
        mode: Mode.nullable().describe('In force.'),
        model_version: z.string().nullable().describe('Model bundle that scores now.'),
        bundle: BundleReported.nullable().describe(
          'Which model bundle it serves, which one is wanted, and how far that is.',
        ),
        threshold: z.number().nullable().describe('In force, 0 to 1.'),
        in_force: z.int().nullable().describe('Decisions in its kernel.'),
      })
      .describe('What is wanted of it, and what it says is so.'),
    health: Health.nullable().describe('Latest figures, every 10 s while it is online.'),
    health_at: Instant.nullable().describe('When these figures came.'),
    losses: z
      .object({
        events_lost: z.int().describe('Events its outbox gave up, or that never came.'),
        events_rejected: z.int().describe('Events that arrived and could not be understood.'),
        packets_dropped: z.number().describe('Packets that the kernel dropped before the agent saw them.'),
        pipeline_dropped: z.number().describe('Flows and windows that full queues dropped inside the agent.'),
      })
      .describe("Everything that did not arrive, and why, since enrolment; of the agent's own drops since its start."),
  })
  .meta({ id: 'StoredGateway' });
export type StoredGateway = z.infer<typeof StoredGateway>;

/** Any subset. */
export const GatewayChange = z
  .strictObject({
    labels: GatewayLabels.refine((labels) => Object.keys(labels).length <= 50, 'at most 50 labels').describe(
      'In place of those it has; `canary` puts it into the first wave of rollouts.',
    ),
    mode: Mode.describe('What it does with decisions.'),
    threshold: SetThreshold.nullable().describe(
      "Score from which a window is an attack, 0.01 to 1; null: the model bundle's.",
    ),
    guard: z
      .strictObject({
        admin_prefixes: z
          .array(GuardPrefix)
          .max(50)
          .describe('Prefixes whose hosts keep their way to the management ports of the gateway.'),
        management_ports: Policy.shape.guard.shape.management_ports.describe(
          'Ports of the gateway that `admin_prefixes` keep.',
        ),
        never_block: z
          .array(GuardEntry)
          .max(200)
          .describe('Forwarded conversations with these hosts or prefixes are never cut.'),
      })
      .describe('In place of what the policy guards.'),
    benign_sample: z.number().min(0).max(1).describe('Share of benign traffic that is reported in full, 0 to 1.'),
  })
  .partial()
  .meta({ id: 'GatewayChange' });
export type GatewayChange = z.infer<typeof GatewayChange>;

/** One minute of a gateway's health. */
export const HealthMinute = z
  .object({
    minute: Instant.describe('Start of the minute.'),
    health: Health.describe('The last figures of this minute.'),
  })
  .meta({ id: 'HealthMinute' });
export type HealthMinute = z.infer<typeof HealthMinute>;

export const NewEnrolmentToken = z
  .strictObject({
    gateway_id: GatewayId.nullable()
      .default(null)
      .describe("Fixes the gateway's name; needed to enrol a known one anew. Null: the gateway chooses a new name."),
    lifetime_seconds: z.int().min(60).max(604_800).default(3600).describe('1 minute to 7 days.'),
  })
  .meta({ id: 'NewEnrolmentToken' });
export type NewEnrolmentToken = z.infer<typeof NewEnrolmentToken>;

export const EnrolmentTokenMade = z
  .object({
    id: z.uuid(),
    token: z.string().describe('Shown once.'),
    gateway_id: GatewayId.nullable().describe('Null: any new name.'),
    expires_at: Instant,
    command: z.string().describe('To be typed on the gateway.'),
  })
  .meta({ id: 'EnrolmentTokenMade' });
export type EnrolmentTokenMade = z.infer<typeof EnrolmentTokenMade>;
