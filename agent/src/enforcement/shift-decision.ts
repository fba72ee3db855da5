/** A decision's times said by another clock: the steady one inside, the wall's towards people and the controller. */
import type { Decision } from '@picket/shared/contract/decision';

/** The same decision where nothing differs. */
export function shiftDecision(decision: Decision, byMs: number): Decision {
  if (byMs === 0) return decision;
  const shift = (text: string): string => new Date(Date.parse(text) + byMs).toISOString();
  return { ...decision, created_at: shift(decision.created_at), expires_at: shift(decision.expires_at) };
}
