/** Why a decision exists, put together from what the fleet reported: decision, rule, alert, and the word of each gateway. */
import type { Alert } from '@picket/shared/contract/alert';
import type { DecisionId } from '@picket/shared/contract/identifiers';
import type { DecisionExplanation, StoredDecision } from '@picket/shared/contract/stored-decision';
import type { StoredRule } from '@picket/shared/contract/stored-rule';
import { explainDecision } from '@picket/shared/policy/explain-decision';

export interface ExplanationParts {
  /** Throws `NotFound`. */
  readonly decision: (id: DecisionId) => Promise<StoredDecision>;
  /** Undefined where it is gone. */
  readonly rule: (id: string) => Promise<StoredRule | undefined>;
  readonly alert: (id: string) => Promise<Pick<Alert, 'message' | 'first_seen_at' | 'last_seen_at'> | undefined>;
  readonly now: () => Date;
}

const maxGatewaysNamed = 20;

export class ExplanationService {
  readonly #parts: ExplanationParts;

  constructor(parts: ExplanationParts) {
    this.#parts = parts;
  }

  /** Throws `NotFound`. */
  async explain(id: DecisionId): Promise<DecisionExplanation> {
    const { decision: find, rule, alert, now } = this.#parts;
    const decision = await find(id);
    const { lifted_at: at, lifted_by: by } = decision;
    const lines = explainDecision({
      decision,
      rule: decision.rule_id === null ? undefined : await rule(decision.rule_id),
      alert: decision.alert_id === null ? undefined : await alert(decision.alert_id),
      kernel: kernelLines(decision),
      lifted: at === null ? undefined : { at, by },
      undo: `DELETE /api/v1/decisions/${id}, or \`picketctl decisions delete ${id}\`; each gateway answers when its kernel let go`,
      nowMs: now().getTime(),
    });
    return { decision, lines: [...lines] };
  }
}

function kernelLines({ gateways }: StoredDecision): readonly string[] {
  const lines = gateways
    .slice(0, maxGatewaysNamed)
    .map(
      ({ gateway_id: gateway, state, at, detail }) =>
        `${gateway}: ${state}, ${at}${detail === null ? '' : ` (${detail})`}`,
    );
  const more = gateways.length - lines.length;
  return more > 0 ? [...lines, `and ${more} more gateways`] : lines;
}
