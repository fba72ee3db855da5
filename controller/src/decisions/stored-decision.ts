/** A decision as it is kept, as gateways know it, and as the API and the live streams show it. Pure. */
import type { Selectable } from 'kysely';
import type { Decision, DecisionState } from '@picket/shared/contract/decision';
import type { DecisionLogEntry, StoredDecision } from '@picket/shared/contract/stored-decision';
import type { DecisionRow } from '../database/decision-tables.ts';
import type { LiveMessage } from '../live/live-message.ts';
import { ended } from './decision-conditions.ts';
import type { LoggedDecisionEvent } from './decision-log-repository.ts';
import type { DecisionWithStates } from './decision-repository.ts';

export const endedStates: ReadonlySet<DecisionState> = new Set(ended);

export function toRow(decision: Decision, madeByGateway: string | null): Selectable<DecisionRow> {
  return {
    ...decision,
    created_at: new Date(decision.created_at).toISOString(),
    expires_at: new Date(decision.expires_at).toISOString(),
    made_by_gateway: madeByGateway,
    lifted_at: null,
    lifted_by: null,
  };
}

export function toWire(row: Selectable<DecisionRow>): Decision {
  const { made_by_gateway: _made, lifted_at: _at, lifted_by: _by, ...decision } = row;
  return decision as Decision;
}

export function toDecision({ decision, states }: DecisionWithStates, now: string): StoredDecision {
  return {
    ...decision,
    active:
      decision.expires_at > now && decision.lifted_at === null && states.some((state) => !endedStates.has(state.state)),
    gateways: states.map(({ gateway_id, state, at, detail }) => ({ gateway_id, state, at, detail })),
  } as StoredDecision;
}

export function toLogEntry(row: LoggedDecisionEvent): DecisionLogEntry {
  const { recorded_at: _recorded, ...rest } = row;
  return { ...rest, success: row.state !== 'refused' && row.state !== 'failed' } as DecisionLogEntry;
}

export function decisionChanged(decision: StoredDecision): LiveMessage {
  return { channels: ['alerts'], event: { type: 'decision_changed', data: decision } };
}
