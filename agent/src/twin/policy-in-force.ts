/**
 * The policy that held when the agent ended, before anything else of the twin is there: a start that went by the
 * gateway's own file until then would let through whom the policy has cut off.
 */
import type { Logger } from 'pino';
import type { Policy } from '@picket/shared/contract/twin';
import type { ReportedState } from './reported-state.ts';
import type { DesiredVerifier } from './verify-desired.ts';

/** Undefined where none was accepted, or it is no longer ours. That it may have expired since does not undo it. */
export async function policyInForce(
  state: Pick<ReportedState, 'policy'>,
  verifier: DesiredVerifier,
  log: Pick<Logger, 'warn'>,
): Promise<Policy | undefined> {
  const jws = state.policy();
  if (jws === undefined) return undefined;
  const verified = await verifier.policy(jws, -Infinity);
  if (verified.ok) return verified.document;
  log.warn({ reason: verified.reason }, 'the policy of the controller before is not taken over');
  return undefined;
}
