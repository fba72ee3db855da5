/** A gateway's prevention by itself, and windows to show it: what rules make of what is seen, with nothing around it. */
import { RuleId } from '../contract/identifiers.ts';
import type { Rule } from '../contract/rule.ts';
import { defaultRules } from '../policy/default-rules.ts';
import type { AttackClass, JudgedFlow, JudgedWindow } from '../policy/judged-window.ts';
import { findingsOf, type Measure } from '../policy/measures.ts';
import { Prevention, type PreventionOptions } from '../policy/prevention.ts';
import { camera, knock, startUs } from './judged-flows.ts';

/** Of every attack in two of three windows, for ten minutes, always as long. */
export function rule(changes: Partial<Rule> = {}): Rule {
  return {
    ...defaultRules[1]!,
    id: RuleId.parse('019a0000-0000-7000-8000-00000000000a'),
    classes: [],
    device_ladder: [],
    min_windows: 2,
    of_windows: 3,
    min_flows: 1,
    cooldown_seconds: 60,
    duration_seconds: 600,
    escalation: null,
    ...changes,
  };
}

/** A conversation that nobody can forge. */
export const talk: Partial<JudgedFlow> = { fwdPackets: 9, bwdPackets: 8, fwdBytes: 900, bwdBytes: 900 };

/** `at` in seconds. */
export function window(
  at: number,
  attack: AttackClass,
  flows: readonly Partial<JudgedFlow>[],
  device = camera,
): JudgedWindow {
  return {
    device: { address: device, mac: null },
    atUs: startUs + at * 1e6,
    score: 0.97,
    threshold: 0.5,
    attack,
    flowsSeen: flows.length,
    countsAsEvidence: true,
    flowImportance: null,
    flows: flows.map((flow) => ({ ...knock, dstIp: device, ...flow })),
  };
}

export class Gateway {
  readonly prevention: Prevention;
  readonly taken: Measure[] = [];

  constructor(rules: readonly Rule[], options: Partial<PreventionOptions> = {}) {
    this.prevention = new Prevention({ rules, ...options });
  }

  see(...windows: readonly JudgedWindow[]): readonly Measure[] {
    const before = this.taken.length;
    for (const seen of windows) {
      const proven = this.prevention.weigh(seen);
      for (const finding of findingsOf(proven)) this.taken.push(...this.prevention.act(seen, finding).taken);
    }
    return this.taken.slice(before);
  }

  get words(): readonly string[] {
    return this.taken.map(({ restriction: { action, scope, value } }) => `${action} ${scope} ${value}`);
  }
}

export const times = <Item>(count: number, make: (index: number) => Item): Item[] =>
  Array.from({ length: count }, (_, index) => make(index));

export const beacon = (at: number, dstIp = '198.51.100.66'): JudgedWindow =>
  window(
    at,
    'botnet_beacon',
    times(5, () => ({ srcIp: camera, dstIp, direction: 'outbound' as const })),
  );

export const scan = (at: number, srcIp = '203.0.113.9', more: Partial<JudgedFlow> = {}): JudgedWindow =>
  window(
    at,
    'port_scan',
    times(10, (port) => ({ srcIp, dstPort: port + 1, ...more })),
  );
