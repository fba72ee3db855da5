/** Of a decision, what a kernel is told: whom it restricts, how, and until when; not why, nor on whose word. */
import type { Decision } from '@picket/shared/contract/decision';

export type Restriction = Pick<Decision, 'id' | 'action' | 'scope' | 'value' | 'direction' | 'mode' | 'expires_at'>;

/** Without whatever else stands beside it. */
export function restrictionOf({ id, action, scope, value, direction, mode, expires_at }: Restriction): Restriction {
  return { id, action, scope, value, direction, mode, expires_at };
}
