/** Enrolment, presence and health of a gateway. */
import { z } from 'zod';
import { Instant } from './address.ts';
import { BootId, GatewayId } from './identifiers.ts';

/** POST /api/v1/enrol on the agents' HTTPS door. */
export const EnrolRequest = z.strictObject({
  /** The secret part of the enrolment token. */
  token: z.string().min(20).max(200),
  /** The name the gateway would like; the token may fix it. */
  gateway_id: GatewayId,
  /** PKCS#10, PEM. Only its public key is used: names and extensions are the controller's to give. */
  csr: z.string().max(8000),
  agent_version: z.string().max(50),
  protocol: z.int().min(1),
});
export type EnrolRequest = z.infer<typeof EnrolRequest>;

/** POST /api/v1/agent/certificate over mutual TLS: a new key for the same gateway. */
export const RenewalRequest = z.strictObject({ csr: z.string().max(8000) });
export type RenewalRequest = z.infer<typeof RenewalRequest>;

export const RenewalResponse = z.strictObject({
  certificate: z.string(),
  ca: z.string(),
  /** As in `EnrolResponse`: a gateway that was enrolled by an older controller learns it here. */
  bundle_key: z.record(z.string(), z.unknown()).optional(),
});
export type RenewalResponse = z.infer<typeof RenewalResponse>;

export const EnrolResponse = z.strictObject({
  gateway_id: GatewayId,
  /** Client certificate, PEM. */
  certificate: z.string(),
  /** CA that signed it and the controller's own certificates, PEM. */
  ca: z.string(),
  /** Public key that signs policy and decisions, JWK (OKP, Ed25519) with `kid`. */
  signing_key: z.record(z.string(), z.unknown()),
  /** Public key that signs model bundles, likewise. Left out by older controllers. */
  bundle_key: z.record(z.string(), z.unknown()).optional(),
  mqtt: z.strictObject({ host: z.string(), port: z.int() }),
  /** The agents' HTTPS door. */
  https: z.strictObject({ host: z.string(), port: z.int() }),
});
export type EnrolResponse = z.infer<typeof EnrolResponse>;

/** Retained on `up/presence`; `online: false` is the last will of the same boot. */
export const Presence = z.strictObject({
  online: z.boolean(),
  boot_id: BootId,
  at: Instant,
  agent_version: z.string().max(50),
  protocol: z.int().min(1),
});
export type Presence = z.infer<typeof Presence>;

const count = z.number().min(0);

/** Latest-wins figures, every 10 s. Every drop anywhere in the agent is in here. */
export const Health = z.strictObject({
  at: Instant,
  boot_id: BootId,
  uptime_seconds: count,
  rss_bytes: count,
  capture: z.strictObject({
    interface: z.string().max(64),
    packets: count,
    bytes: count,
    /** By the kernel, before the capture process saw them. */
    dropped_kernel: count,
    undecodable: count,
    restarts: count,
  }),
  flows: z.strictObject({
    active: count,
    ended: count,
    reports: count,
    evicted: count,
    dropped: count,
    /** Packets of connections that were over, which make no flow. Left out by older agents, as the next. */
    late_packets: count.optional(),
    /** How often packet time went back by more than 10 s, because a clock was set, and every flow was handed over. */
    time_steps: count.optional(),
  }),
  detection: z.strictObject({
    windows: count,
    predictions: count,
    attacks: count,
    dropped: count,
    latency_ms_mean: count,
    /** Left out by older agents, as the next two. */
    explained: count.optional(),
    /** Alerts that went out without reasons because the budget for them was spent. */
    unexplained: count.optional(),
    /** Bundles that took the place of another while traffic flowed, and bundles that were refused. */
    bundle_swaps: count.optional(),
    bundles_refused: count.optional(),
  }),
  enforcement: z.strictObject({
    in_force: count,
    refused: count,
    failed: count,
    drift_repairs: count,
    /** How long the kernel did not hold what it should because somebody changed it. Left out by older agents, as the rest. */
    gap_ms_total: count.optional(),
    gap_ms_max: count.optional(),
    /** How often what hears of such changes had to be started again; while it is away they are seen within 10 s. */
    monitor_restarts: count.optional(),
    /** What becomes of restrictions when the agent ends unexpectedly: they keep their time, or they are removed. */
    fail_policy: z.enum(['keep', 'open']).optional(),
    /** How often that happened on this gateway. */
    unexpected_ends: count.optional(),
    /** Decisions whose last change is not on disk, for it is full: a restart would not know of it. */
    unsaved: count.optional(),
    /** Changes of the controller's policy that hold and are not on disk either: a restart would undo them. */
    policy_unsaved: count.optional(),
    /** The owner has taken everything out of the kernel, and has not resumed yet. */
    held_open: z.boolean().optional(),
    /** Whether a process of its own holds the right to change the kernel, or the whole agent. */
    privilege: z.enum(['separated', 'whole', 'none']).optional(),
    packets_dropped: count,
    packets_would_drop: count,
  }),
  outbox: z.strictObject({ rows: count, bytes: count, dropped: count, oldest_age_seconds: count }),
  devices: count,
  /** Left out by older agents. */
  memory: z
    .strictObject({
      /** The bound that is configured. */
      max_bytes: count,
      peak_rss_bytes: count,
      /** What is given up just now, in this order. */
      shedding: z.array(z.enum(['explanations', 'reports', 'capacity'])),
      /** How often something was begun to be given up. */
      shed_times: count,
      /** Alerts that had to wait for their reasons or go without, for whatever cause. */
      unexplained: count,
      /** Flows and predictions that were not reported in full. */
      withheld: count,
    })
    .optional(),
});
export type Health = z.infer<typeof Health>;
