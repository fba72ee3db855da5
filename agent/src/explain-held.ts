/** Why something is restricted on this gateway: decision, rule, alert and kernel, put together for a person. */
import { parseDecisionValue } from '@picket/shared/policy/decision-value';
import { explainDecision, isAbout } from '@picket/shared/policy/explain-decision';
import type { ExplainedDecision, Explanations } from './control/control-server.ts';
import type { HeldDecision } from './enforcement/enforcer-options.ts';
import type { Enforcer } from './enforcement/enforcer.ts';
import { refuseByGuard } from './enforcement/guard.ts';
import type { Verdicts } from './verdict/decide-verdicts.ts';

export interface Explainers {
  readonly enforcer: Pick<Enforcer, 'check' | 'guard' | 'list' | 'mode' | 'packetsMet' | 'problem'>;
  readonly verdicts: Pick<Verdicts, 'alertOf' | 'ruleOf'>;
  readonly nowMs: number;
}

/** Reads the kernel back first, so that what it counted is what it counts now. */
export async function explainHeld(idOrValue: string, parts: Explainers): Promise<Explanations> {
  const { enforcer } = parts;
  await enforcer.check();
  const about = enforcer.list().filter(({ decision }) => isAbout(decision, idOrValue));
  return { decisions: about.map((held) => explain(held, parts)), guarded: guardedReason(idOrValue, enforcer) };
}

function explain(held: HeldDecision, { enforcer, verdicts, nowMs }: Explainers): ExplainedDecision {
  const { decision, in_kernel } = held;
  const packets = enforcer.packetsMet(decision.id);
  const lines = explainDecision({
    decision,
    rule: decision.rule_id === null ? undefined : verdicts.ruleOf(decision.rule_id),
    alert: decision.alert_id === null ? undefined : verdicts.alertOf(decision.alert_id),
    kernel: [kernelText(held, packets, enforcer)],
    undo: `\`picket-agent decisions delete ${decision.id}\`; to keep it from ever coming back list the host under guard.never_block, or change the rule`,
    nowMs,
  });
  return { decision, in_kernel, packets, lines };
}

function kernelText({ in_kernel }: HeldDecision, packets: number, { mode, problem }: Explainers['enforcer']): string {
  const met = packets === 0 ? 'no packet has met it so far' : `${packets} packets have met it`;
  if (in_kernel) return `holds it, as just read back; ${met}`;
  if (mode === 'observe') return 'holds nothing of it, for this gateway only observes';
  return `does not hold it${problem === undefined ? '' : `: ${problem}`}; it is tried again`;
}

/** Undefined targets are no values at all, and need no guard. */
function guardedReason(text: string, { guard }: Explainers['enforcer']): string | null {
  for (const scope of ['ip', 'cidr', 'device'] as const) {
    const parsed = parseDecisionValue(scope, text);
    if (parsed.ok) return refuseByGuard(parsed.target, guard) ?? null;
  }
  return null;
}
