/** What gateways say of decisions, kept as it arrives: their own, and where those of analysts stand. */
import type { Selectable } from 'kysely';
import type { DecisionEvent } from '@picket/shared/contract/decision';
import { newId } from '@picket/shared/contract/identifiers';
import type { GatewayId } from '@picket/shared/contract/identifiers';
import type { Executor } from '../database/executor.ts';
import type { DecisionEventRow, DecisionRow, DecisionStateRow } from '../database/decision-tables.ts';
import type { LiveMessage } from '../live/live-message.ts';
import type { DecisionRepository } from './decision-repository.ts';
import { decisionChanged, toDecision, toRow } from './stored-decision.ts';

export interface ReportedDecision {
  readonly event: DecisionEvent;
  /** The agent's wall clock when it wrote this down. */
  readonly at: string;
}

export class DecisionReports {
  readonly #decisions: DecisionRepository;
  readonly #now: () => Date;

  constructor(decisions: DecisionRepository, now: () => Date) {
    this.#decisions = decisions;
    this.#now = now;
  }

  /** In the batch's transaction. Returns what is to be told live after its commit. */
  async store(executor: Executor, gatewayId: GatewayId, reports: readonly ReportedDecision[]): Promise<LiveMessage[]> {
    const decisions = new Map<string, Selectable<DecisionRow>>();
    const states = new Map<string, Selectable<DecisionStateRow>>();
    const events: Selectable<DecisionEventRow>[] = [];
    for (const { event, at } of reports) {
      const { id } = event.decision;
      if (!decisions.has(id)) decisions.set(id, toRow(event.decision, gatewayId));
      const state = {
        decision_id: id,
        gateway_id: gatewayId,
        state: event.state,
        at: new Date(event.at).toISOString(),
        detail: event.detail,
      };
      states.set(id, state);
      events.push({ ...state, id: newId(), recorded_at: at });
    }
    if (decisions.size === 0) return [];
    await this.#decisions.insertNew(executor, [...decisions.values()]);
    await this.#decisions.upsertStates(executor, [...states.values()]);
    await this.#decisions.insertEvents(executor, events);
    const now = this.#now().toISOString();
    const changed = await this.#decisions.byIds([...decisions.keys()], executor);
    return changed.map((row) => decisionChanged(toDecision(row, now)));
  }
}
