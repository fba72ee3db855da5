/**
 * What a gateway does about attacks before anyone has written a rule: the agent starts with these rules, and a new
 * controller seeds its own list with them, so that both sides name the same rule by the same id.
 *
 * No class acts on one window. Loud attacks need few windows; quiet ones, where a wrong block hurts more than a late
 * one, need many. What is a little less sure but goes on and on is proven by that: fifteen of twenty windows of which
 * each is nine in ten an attack. `block` names the peer that the evidence points to, and of a flood the service under
 * it as well. A device of ours that attacks others is quarantined; one that beacons or exfiltrates, or goes on with what
 * is less sure, is cut from its destination first, and quarantined where it goes on. Who comes back is held longer, up to a day. The
 * rules that only tell a person do so of what has no class of its own, and of what no two windows call the same.
 */
import { RuleId } from '../contract/identifiers.ts';
import type { DeviceStep, Escalation, Rule, RuleAction } from '../contract/rule.ts';
import type { TrafficClass } from '../features/traffic-classes.ts';

interface Default {
  readonly id: string;
  readonly name: string;
  /** Empty: whichever. */
  readonly classes: readonly Exclude<TrafficClass, 'benign'>[];
  readonly action: RuleAction;
  readonly ladder: readonly DeviceStep[];
  /** Of each window. Left out: the one in force, at which a single window is believed. */
  readonly threshold?: number;
  /** N of the last M windows. */
  readonly windows: readonly [n: number, m: number];
  readonly minFlows: number;
  readonly cooldownSeconds: number;
  readonly durationSeconds: number;
}

const minute = 60;
const hour = 60 * minute;

/** Four times as long each time, and forgotten after a quiet day. */
const escalation: Escalation = { factor: 4, max_duration_seconds: 24 * hour, forget_after_seconds: 24 * hour };
const lasting = { threshold: 0.9, windows: [15, 20], minFlows: 8 } as const;
const atOnce: readonly DeviceStep[] = ['quarantine'];
const cutFirst: readonly DeviceStep[] = ['cut_destination', 'quarantine'];

const defaults: readonly Default[] = [
  {
    id: '019a0000-0000-7000-8000-000000000001',
    name: 'Stop floods',
    classes: ['ddos_flood'],
    action: 'block',
    ladder: atOnce,
    windows: [2, 3],
    minFlows: 1, // one flow may carry a whole flood
    cooldownSeconds: 30,
    durationSeconds: 10 * minute,
  },
  {
    id: '019a0000-0000-7000-8000-000000000002',
    name: 'Stop port scans',
    classes: ['port_scan'],
    action: 'block',
    ladder: atOnce,
    windows: [2, 3],
    minFlows: 5,
    cooldownSeconds: 60,
    durationSeconds: hour,
  },
  {
    id: '019a0000-0000-7000-8000-000000000003',
    name: 'Stop password guessing',
    classes: ['brute_force_ssh', 'brute_force_ftp'],
    action: 'block',
    ladder: atOnce,
    windows: [2, 4],
    minFlows: 3,
    cooldownSeconds: 60,
    durationSeconds: 4 * hour,
  },
  {
    id: '019a0000-0000-7000-8000-000000000004',
    name: 'Stop slow-rate denial of service',
    classes: ['slow_rate'],
    action: 'block',
    ladder: atOnce,
    windows: [3, 5],
    minFlows: 5,
    cooldownSeconds: 60,
    durationSeconds: hour,
  },
  {
    id: '019a0000-0000-7000-8000-000000000005',
    name: 'Stop attacks on web pages',
    classes: ['web_xss', 'web_sqli'],
    action: 'block',
    ladder: atOnce,
    windows: [3, 5],
    minFlows: 3,
    cooldownSeconds: 60,
    durationSeconds: hour,
  },
  {
    id: '019a0000-0000-7000-8000-000000000006',
    name: 'Cut beacons from their server',
    classes: ['botnet_beacon'],
    action: 'block',
    ladder: cutFirst,
    windows: [4, 6],
    minFlows: 5,
    cooldownSeconds: 5 * minute,
    durationSeconds: 4 * hour,
  },
  {
    id: '019a0000-0000-7000-8000-000000000007',
    name: 'Cut exfiltration from its destination',
    classes: ['data_exfiltration'],
    action: 'block',
    ladder: cutFirst,
    windows: [3, 5],
    minFlows: 2,
    cooldownSeconds: 2 * minute,
    durationSeconds: 4 * hour,
  },
  {
    id: '019a0000-0000-7000-8000-000000000008',
    name: 'Tell of other attacks',
    classes: [], // of any: an attack that each window names differently proves none of the rules above
    action: 'alert_only',
    ladder: [],
    windows: [3, 5],
    minFlows: 5,
    cooldownSeconds: 5 * minute,
    durationSeconds: 10 * minute,
  },
  {
    id: '019a0000-0000-7000-8000-000000000009',
    name: 'Stop attacks that go on and on',
    classes: [
      'ddos_flood',
      'port_scan',
      'brute_force_ssh',
      'brute_force_ftp',
      'slow_rate',
      'web_xss',
      'web_sqli',
      'botnet_beacon',
      'data_exfiltration',
    ],
    action: 'block',
    ladder: cutFirst,
    ...lasting,
    cooldownSeconds: 5 * minute,
    durationSeconds: hour,
  },
  {
    id: '019a0000-0000-7000-8000-00000000000a',
    name: 'Tell of other attacks that go on and on',
    classes: [],
    action: 'alert_only',
    ladder: [],
    ...lasting,
    cooldownSeconds: 5 * minute,
    durationSeconds: 10 * minute,
  },
];

/** Enabled, for every device, in the mode of the gateway. */
export const defaultRules: readonly Rule[] = defaults.map((rule) => ({
  id: RuleId.parse(rule.id),
  name: rule.name,
  is_enabled: true,
  threshold: rule.threshold ?? null,
  classes: [...rule.classes],
  device: null,
  devices: [],
  action: rule.action,
  device_ladder: [...rule.ladder],
  direction: null,
  min_windows: rule.windows[0],
  of_windows: rule.windows[1],
  min_flows: rule.minFlows,
  cooldown_seconds: rule.cooldownSeconds,
  duration_seconds: rule.durationSeconds,
  escalation: rule.action === 'alert_only' ? null : escalation,
  schedule: null,
  mode: null,
}));
