/**
 * Every setting of the agent, with safe defaults: a new gateway starts in `simulate`. Read once, from a YAML file and
 * from the environment; stages are handed values and never see this.
 */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import { Mode } from '@picket/shared/contract/decision';
import { newId } from '@picket/shared/contract/identifiers';
import { Rule, SetThreshold } from '@picket/shared/contract/rule';
import { GuardEntry, GuardPrefix } from '@picket/shared/policy/guard-prefix';
import { AgentError } from '../errors.ts';
import { defaultMaxMib } from '../memory-plan.ts';

const Prefix = z.union([z.cidrv4(), z.cidrv6()], {
  error: ({ input }) => `"${String(input)}" is no prefix; write it like 192.168.1.0/24 or fd00::/8`,
});

/** A rule written by hand: what is left out is what an expert would choose. */
const LocalRule = Rule.extend({
  id: Rule.shape.id.default(() => Rule.shape.id.parse(newId())),
  is_enabled: z.boolean().default(true),
  threshold: SetThreshold.nullable().default(null),
  classes: Rule.shape.classes.default([]),
  device: Rule.shape.device.default(null),
  min_windows: Rule.shape.min_windows.default(2),
  of_windows: Rule.shape.of_windows.default(3),
  min_flows: Rule.shape.min_flows.default(1),
  cooldown_seconds: Rule.shape.cooldown_seconds.default(60),
  duration_seconds: Rule.shape.duration_seconds.default(3600),
  mode: Rule.shape.mode.default(null),
}).refine((rule) => rule.min_windows <= rule.of_windows, {
  path: ['min_windows'],
  message: 'at most of_windows: a rule that asks for more windows than it looks at never acts',
});

const LiveCapture = z.strictObject({
  source: z.literal('live'),
  /** Network interface, as `ip link` names it. The LAN side sees devices with their own addresses. */
  interface: z.string().regex(/^[A-Za-z0-9_.:@-]{1,64}$/, 'an interface name as `ip link` shows it'),
  /** Bytes kept of each packet; 192 covers every header the decoder reads. */
  snap_length: z.int().min(96).max(65_535).default(192),
  /** Size of the kernel's ring between capture and agent. */
  ring_kib: z.int().min(2048).max(1_048_576).default(65_536),
  /** pcap-filter expression; empty: everything, VLAN and PPPoE included. */
  filter: z.string().max(1000).default(''),
});

const FileCapture = z.strictObject({
  source: z.literal('pcap'),
  /** Played one after another. */
  files: z.array(z.string()).min(1),
  /** 1: at recorded pace; 10: ten times as fast; `max`: as fast as the machine can. */
  speed: z.union([z.literal('max'), z.number().positive().max(10_000)]).default(1),
  /** Shift packet times so that the first packet is now. Only sensible at speed 1. */
  rebase: z.boolean().default(false),
});

export const AgentConfig = z.strictObject({
  /** Identity, outbox, decisions: all that must survive a restart. */
  state_dir: z.string().min(1).default('/var/lib/picket-agent'),
  capture: z.discriminatedUnion('source', [LiveCapture, FileCapture]),
  /** What the gateway does with decisions until the controller's policy says otherwise. */
  mode: Mode.default('simulate'),
  /**
   * What becomes of the restrictions in the kernel when the agent ends without having been stopped: they keep their
   * time, or they are removed until it is back (which needs the process that holds the right to, see `doctor`).
   */
  fail_policy: z.enum(['keep', 'open']).default('keep'),
  lan_prefixes: z
    .array(Prefix)
    .min(1)
    .default(['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '169.254.0.0/16', 'fc00::/7', 'fe80::/10']),
  flow: z
    .strictObject({
      /** Flows that may live at once; the oldest half-open ones go first when it is full. Null: what the memory allows. */
      capacity: z.int().min(1024).max(4_000_000).nullable().default(null),
      /** A living flow is reported this long after its first packet, */
      first_report_ms: z.int().min(100).max(60_000).default(1000),
      /** or as soon as it has this many packets, */
      first_report_packets: z.int().min(2).max(1_000_000).default(64),
      /** and then this often. The shipped bundle was trained with the defaults. */
      report_interval_ms: z.int().min(100).max(60_000).default(5000),
    })
    .prefault({}),
  memory: z
    .strictObject({
      /** Resident memory of the whole agent, without tcpdump and its ring. */
      max_mib: z.int().min(224).max(65_536).default(defaultMaxMib),
    })
    .prefault({}),
  /** Devices that may be known at once. */
  max_devices: z.int().min(16).max(1_000_000).default(4096),
  model: z
    .strictObject({
      /** Null: the bundle shipped with this agent. */
      bundle: z.string().nullable().default(null),
      /** Who may sign bundles besides the controller: files with an Ed25519 public key (PEM or JWK), or 43 characters. */
      trust: z.array(z.string().min(1)).max(20).default([]),
      /** Null: the bundle's calibrated threshold. */
      threshold: SetThreshold.nullable().default(null),
    })
    .prefault({}),
  /** Empty: the built-in rules. Replaced by the controller's policy once there is one. */
  rules: z.array(LocalRule).max(200).default([]),
  guard: z
    .strictObject({
      /** Hosts that keep their way to the management ports of this gateway. */
      admin_prefixes: z.array(GuardPrefix).max(50).default([]),
      management_ports: z.array(z.int().min(1).max(65_535)).max(20).default([22]),
      /** Forwarded conversations with these are never cut. */
      never_block: z.array(GuardEntry).max(200).default([]),
    })
    .prefault({}),
  report: z
    .strictObject({
      /** Share of benign flows and predictions that are reported in full. */
      benign_sample: z.number().min(0).max(1).default(0.01),
      outbox_max_mib: z.int().min(1).max(65_536).default(256),
      outbox_max_days: z.number().positive().max(365).default(7),
    })
    .prefault({}),
  log: z
    .strictObject({
      level: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
    })
    .prefault({}),
});
export type AgentConfig = z.infer<typeof AgentConfig>;

/**
 * Reads and checks a configuration file. Environment variables `PICKET_AGENT_…` override it: `__` between levels, e.g.
 * `PICKET_AGENT_CAPTURE__INTERFACE=eth0`. Throws an AgentError that names the key and the reason.
 */
export function loadAgentConfig(file: string, environment: NodeJS.ProcessEnv): AgentConfig {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new AgentError('no-input', `cannot read the configuration ${file}: ${(error as Error).message}`, {
      cause: error,
    });
  }
  let document: unknown;
  try {
    document = parse(text) ?? {};
  } catch (error) {
    throw new AgentError('bad-config', `${file} is not YAML: ${(error as Error).message.split('\n')[0]}`, {
      cause: error,
    });
  }
  return parseAgentConfig(overlayEnvironment(document, environment), file);
}

/** Checks a configuration that is already an object; `origin` names it in errors. */
export function parseAgentConfig(document: unknown, origin: string): AgentConfig {
  const parsed = AgentConfig.safeParse(document);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map((issue) => `${issue.path.join('.') || '(top level)'}: ${issue.message}`);
  throw new AgentError('bad-config', `${origin}: ${lines.join('; ')}`);
}

const environmentPrefix = 'PICKET_AGENT_';

function overlayEnvironment(document: unknown, environment: NodeJS.ProcessEnv): unknown {
  const overlaid = structuredClone(document) as Record<string, unknown>;
  for (const [name, value] of Object.entries(environment)) {
    if (!name.startsWith(environmentPrefix) || value === undefined) continue;
    const path = name.slice(environmentPrefix.length).toLowerCase().split('__');
    const last = path.pop() as string;
    let level = overlaid;
    for (const key of path) level = (level[key] ??= {}) as Record<string, unknown>;
    level[last] = parse(value); // numbers, booleans and lists read as in the file
  }
  return overlaid;
}
