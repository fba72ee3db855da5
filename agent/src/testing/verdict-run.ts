/** Verdicts by themselves: one scored window decided after the other, and all alerts and drafts that came of them. */
import { Alert } from '@picket/shared/contract/alert';
import type { DecisionEvent, DecisionState } from '@picket/shared/contract/decision';
import { BootId, RuleId, newId } from '@picket/shared/contract/identifiers';
import type { Rule } from '@picket/shared/contract/rule';
import type { DecisionDraft } from '../verdict/decision-draft.ts';
import { Verdicts } from '../verdict/decide-verdicts.ts';
import { scoredWindow, type WindowSketch } from './scored-windows.ts';

const bootId = BootId.parse(newId());

/** Of every attack in two of three windows; blocks for ten minutes. */
export function rule(changes: Partial<Rule> = {}): Rule {
  return {
    id: RuleId.parse('019a0000-0000-7000-8000-00000000000a'),
    name: 'test rule',
    is_enabled: true,
    threshold: null,
    classes: [],
    device: null,
    devices: [],
    action: 'block',
    device_ladder: [],
    direction: null,
    min_windows: 2,
    of_windows: 3,
    min_flows: 3,
    cooldown_seconds: 60,
    duration_seconds: 600,
    escalation: null,
    schedule: null,
    mode: null,
    ...changes,
  };
}

/** Decides one window after the other. */
export class VerdictRun {
  readonly verdicts: Verdicts;
  readonly alerts: Alert[] = [];
  readonly drafts: DecisionDraft[] = [];

  constructor(...rules: readonly Rule[]) {
    this.verdicts = new Verdicts({ bootId, rules: rules.length > 0 ? rules : [rule()] });
  }

  see(...sketches: readonly WindowSketch[]): this {
    for (const sketch of sketches) {
      const { alerts, drafts } = this.verdicts.decide(scoredWindow(sketch));
      this.alerts.push(...alerts.map((alert) => Alert.parse(alert)));
      this.drafts.push(...drafts);
    }
    return this;
  }
}

/** What the enforcer says of a draft that came to this. */
export function outcome(draft: DecisionDraft, state: DecisionState): DecisionEvent {
  const { duration_seconds: _, is_forgeable: __, ...decision } = draft;
  return {
    decision: { ...decision, created_at: '2026-01-01T00:00:00.000Z', expires_at: '2026-01-01T01:00:00.000Z' },
    state,
    at: '2026-01-01T00:00:00.000Z',
    detail: null,
  };
}
