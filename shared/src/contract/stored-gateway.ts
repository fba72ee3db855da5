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
  desired_version: z.int(),
  /** Null: it said nothing yet. */
  reported: z
    .object({
      version: z.int(),
      step: ReportedStep,
      detail: z.string().nullable(),
      /** The version whose content holds: after a put-back the one before; 0: the gateway's own settings. Null: not said. */
      in_force: z.int().nullable(),
      /** How this version came to `step`, oldest first. */
      steps: z.array(z.object({ step: ReportedStep, at: Instant })),
    })
    .nullable(),
  /** It has the newest version, and that version holds for good: read back from the kernel, and confirmed where it is a policy. */
  in_sync: z.boolean(),
});

export const StoredGateway = z.object({
  id: GatewayId,
  status: GatewayStatus,
  labels: GatewayLabels,
  /** Wanted; `twin` says what is so. */
  mode: Mode,
  /** Null: the model bundle's. */
  threshold: z.number().nullable(),
  guard: Policy.shape.guard,
  /** Share of benign traffic that is reported in full, 0 to 1. */
  benign_sample: z.number(),
  enrolled_at: Instant,
  updated_at: Instant,
  revoked_at: Instant.nullable(),
  /** When it last came or went, by the controller's clock. */
  presence_changed_at: Instant.nullable(),
  boot_id: BootId.nullable(),
  agent_version: z.string(),
  protocol: z.int(),
  twin: z.object({
    policy: Ladder,
    decisions: Ladder,
    reported_at: Instant.nullable(),
    mode: Mode.nullable(),
    model_version: z.string().nullable(),
    /** Which model bundle it serves, which one is wanted, and how far that is. */
    bundle: BundleReported.nullable(),
    threshold: z.number().nullable(),
    /** Decisions in its kernel. */
    in_force: z.int().nullable(),
  }),
  /** Latest figures, every 10 s while it is online. */
  health: Health.nullable(),
  health_at: Instant.nullable(),
  /** Everything that did not arrive, and why, since enrolment; of the agent's own drops since its start. */
  losses: z.object({
    /** Events its outbox gave up, or that never came. */
    events_lost: z.int(),
    /** Events that arrived and could not be understood. */
    events_rejected: z.int(),
    /** Packets that the kernel dropped before the agent saw them. */
    packets_dropped: z.number(),
    /** Flows and windows that full queues dropped inside the agent. */
    pipeline_dropped: z.number(),
  }),
});
export type StoredGateway = z.infer<typeof StoredGateway>;

/** Any subset. */
export const GatewayChange = z
  .strictObject({
    labels: GatewayLabels.refine((labels) => Object.keys(labels).length <= 50, 'at most 50 labels'),
    mode: Mode,
    threshold: SetThreshold.nullable(),
    guard: z.strictObject({
      admin_prefixes: z.array(GuardPrefix).max(50),
      management_ports: Policy.shape.guard.shape.management_ports,
      never_block: z.array(GuardEntry).max(200),
    }),
    benign_sample: z.number().min(0).max(1),
  })
  .partial();
export type GatewayChange = z.infer<typeof GatewayChange>;

/** One minute of a gateway's health. */
export const HealthMinute = z.object({ minute: Instant, health: Health });
export type HealthMinute = z.infer<typeof HealthMinute>;

export const NewEnrolmentToken = z.strictObject({
  /** Fixes the gateway's name; needed to enrol a known one anew. Null: the gateway chooses a new name. */
  gateway_id: GatewayId.nullable().default(null),
  /** 1 minute to 7 days. */
  lifetime_seconds: z.int().min(60).max(604_800).default(3600),
});
export type NewEnrolmentToken = z.infer<typeof NewEnrolmentToken>;

export const EnrolmentTokenMade = z.object({
  id: z.uuid(),
  /** Shown once. */
  token: z.string(),
  gateway_id: GatewayId.nullable(),
  expires_at: Instant,
  /** To be typed on the gateway. */
  command: z.string(),
});
export type EnrolmentTokenMade = z.infer<typeof EnrolmentTokenMade>;
