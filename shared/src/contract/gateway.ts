/** Enrolment, presence and health of a gateway. */
import { z } from 'zod';
import { Instant } from './address.ts';
import { BootId, GatewayId } from './identifiers.ts';

/** POST /api/v1/enrol on the agents' HTTPS door. */
export const EnrolRequest = z
  .strictObject({
    token: z.string().min(20).max(200).describe('The secret part of the enrolment token.'),
    gateway_id: GatewayId.describe('The name the gateway would like; the token may fix it.'),
    csr: z
      .string()
      .max(8000)
      .describe("PKCS#10, PEM. Only its public key is used: names and extensions are the controller's to give."),
    agent_version: z.string().max(50),
    protocol: z.int().min(1),
  })
  .meta({ id: 'EnrolRequest' });
export type EnrolRequest = z.infer<typeof EnrolRequest>;

/** POST /api/v1/agent/certificate over mutual TLS: a new key for the same gateway. */
export const RenewalRequest = z.strictObject({ csr: z.string().max(8000) }).meta({ id: 'RenewalRequest' });
export type RenewalRequest = z.infer<typeof RenewalRequest>;

export const RenewalResponse = z
  .strictObject({
    certificate: z.string(),
    ca: z.string(),
    bundle_key: z
      .record(z.string(), z.unknown())
      .optional()
      .describe('As in `EnrolResponse`: a gateway that was enrolled by an older controller learns it here.'),
  })
  .meta({ id: 'RenewalResponse' });
export type RenewalResponse = z.infer<typeof RenewalResponse>;

export const EnrolResponse = z
  .strictObject({
    gateway_id: GatewayId,
    certificate: z.string().describe('Client certificate, PEM.'),
    ca: z.string().describe("CA that signed it and the controller's own certificates, PEM."),
    signing_key: z
      .record(z.string(), z.unknown())
      .describe('Public key that signs policy and decisions, JWK (OKP, Ed25519) with `kid`.'),
    bundle_key: z
      .record(z.string(), z.unknown())
      .optional()
      .describe('Public key that signs model bundles, JWK (OKP, Ed25519) with `kid`. Left out by older controllers.'),
    mqtt: z.strictObject({ host: z.string(), port: z.int() }),
    https: z.strictObject({ host: z.string(), port: z.int() }).describe("The agents' HTTPS door."),
  })
  .meta({ id: 'EnrolResponse' });
export type EnrolResponse = z.infer<typeof EnrolResponse>;

/** Retained on `up/presence`; `online: false` is the last will of the same boot. */
export const Presence = z
  .strictObject({
    online: z.boolean(),
    boot_id: BootId,
    at: Instant,
    agent_version: z.string().max(50),
    protocol: z.int().min(1),
  })
  .meta({ id: 'Presence' });
export type Presence = z.infer<typeof Presence>;

const count = z.number().min(0);

/** Latest-wins figures, every 10 s. Every drop anywhere in the agent is in here. */
export const Health = z
  .strictObject({
    at: Instant,
    boot_id: BootId,
    uptime_seconds: count.describe('Since the agent started.'),
    rss_bytes: count.describe('Resident memory of the agent, without tcpdump.'),
    capture: z.strictObject({
      interface: z.string().max(64).describe('Network interface, or the files that are replayed.'),
      packets: count.describe('Since the agent started, as every count here.'),
      bytes: count,
      dropped_kernel: count.describe('Packets that the kernel dropped before the capture process saw them.'),
      undecodable: count.describe('Packets that are damaged or of a kind that is not decoded.'),
      restarts: count.describe('How often the capture had to be started again.'),
    }),
    flows: z.strictObject({
      active: count.describe('Open just now.'),
      ended: count,
      reports: count.describe('Times that a flow which still lived was handed on.'),
      evicted: count.describe('Flows that left a full table before their time, judged like any other.'),
      dropped: count.describe('Flows that full queues dropped.'),
      late_packets: count
        .optional()
        .describe('Packets of connections that were over, which make no flow. Left out by older agents.'),
      time_steps: count
        .optional()
        .describe(
          'How often packet time went back by more than 10 s, because a clock was set, and every flow was handed over. Left out by older agents.',
        ),
    }),
    detection: z.strictObject({
      windows: count.describe('Windows that were scored.'),
      predictions: count,
      attacks: count,
      dropped: count.describe('Windows that were never scored.'),
      latency_ms_mean: count.describe('Mean time from a window to its prediction, milliseconds.'),
      explained: count.optional().describe('Predictions that were explained. Left out by older agents.'),
      unexplained: count
        .optional()
        .describe(
          'Alerts that went out without reasons because the budget for them was spent. Left out by older agents.',
        ),
      bundle_swaps: count
        .optional()
        .describe('Bundles that took the place of another while traffic flowed. Left out by older agents.'),
      bundles_refused: count.optional().describe('Model bundles that were refused. Left out by older agents.'),
    }),
    enforcement: z.strictObject({
      in_force: count.describe('Decisions in the kernel.'),
      refused: count.describe('Decisions that were refused.'),
      failed: count.describe('Changes that the kernel would not make.'),
      drift_repairs: count.describe('How often somebody else changed our rules and they were put back.'),
      gap_ms_total: count
        .optional()
        .describe(
          'How long in all the kernel did not hold what it should because somebody changed it, milliseconds. Left out by older agents.',
        ),
      gap_ms_max: count.optional().describe('The longest of these times, milliseconds. Left out by older agents.'),
      monitor_restarts: count
        .optional()
        .describe(
          'How often what hears of such changes had to be started again; while it is away they are seen within 10 s.',
        ),
      fail_policy: z
        .enum(['keep', 'open'])
        .optional()
        .describe(
          'What becomes of restrictions when the agent ends unexpectedly: they keep their time, or they are removed.',
        ),
      unexpected_ends: count
        .optional()
        .describe('How often an agent ended on this gateway without having been stopped.'),
      unsaved: count
        .optional()
        .describe('Decisions whose last change is not on disk, for it is full: a restart would not know of it.'),
      policy_unsaved: count
        .optional()
        .describe(
          "Changes of the controller's policy that hold and are not on disk either: a restart would undo them.",
        ),
      held_open: z
        .boolean()
        .optional()
        .describe('The owner has taken everything out of the kernel, and has not resumed yet.'),
      privilege: z
        .enum(['separated', 'whole', 'none'])
        .optional()
        .describe('Whether a process of its own holds the right to change the kernel, or the whole agent.'),
      packets_dropped: count.describe('Packets that decisions dropped.'),
      packets_would_drop: count.describe('Packets that decisions in `simulate` would have dropped.'),
    }),
    outbox: z.strictObject({
      rows: count.describe("Events that wait for the controller's acknowledgement."),
      bytes: count.describe('Their bytes.'),
      dropped: count.describe('Events given up for want of room, by age, or because the disk would not take them.'),
      oldest_age_seconds: count.describe('Age of the oldest event that waits.'),
    }),
    devices: count.describe('Devices known just now.'),
    forgotten: z
      .strictObject({
        devices: count.describe('Devices, by address or MAC: they are new when they come again.'),
        windows: count.describe('Windows of devices, with what was known of their peers.'),
        habits: count.describe('What is normal for a device; reasons compare with it.'),
        findings: count.describe(
          'Attacks that go on, cooldowns and what rules know of a device: an attack may be told anew, or acted on again.',
        ),
      })
      .optional()
      .describe('What had to leave a full table before its time. Left out by older agents.'),
    memory: z
      .strictObject({
        max_bytes: count.describe('The bound that is configured.'),
        peak_rss_bytes: count.describe('Highest resident memory since the start.'),
        shedding: z
          .array(z.enum(['explanations', 'reports', 'capacity']))
          .describe('What is given up just now, in this order.'),
        shed_times: count.describe('How often something was begun to be given up.'),
        unexplained: count.describe('Alerts that had to wait for their reasons or go without, for whatever cause.'),
        withheld: count.describe('Flows and predictions that were not reported in full.'),
      })
      .optional()
      .describe('How near the agent is to its bound. Left out by older agents.'),
  })
  .meta({ id: 'Health' });
export type Health = z.infer<typeof Health>;
