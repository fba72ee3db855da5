/** What was accepted last holds again: at a start, and after a policy that was not confirmed. */
import type { Logger } from 'pino';
import type { Policy } from '@picket/shared/contract/twin';
import { policyInForce } from './policy-in-force.ts';
import type { PolicyLadder } from './policy-ladder.ts';
import type { ReportedState } from './reported-state.ts';
import type { DesiredVerifier } from './verify-desired.ts';

/** What a policy acts on. */
export interface PolicyTargets {
  /** Makes this policy hold; rejects with the reason where it cannot. Repeatable. */
  applyPolicy(policy: Policy): Promise<void>;
  /** Makes what the gateway's own file says hold: what holds before the first policy, and after one that was not confirmed. */
  applyOwnSettings(): Promise<void>;
  /** Reads the kernel back; resolves with what it does not hold, for people, or undefined. */
  verifyPolicy(): Promise<string | undefined>;
}

export interface PutBackParts {
  readonly verifier: DesiredVerifier;
  readonly state: Pick<ReportedState, 'policy'>;
  readonly targets: PolicyTargets;
  readonly ladder: PolicyLadder;
  readonly log: Pick<Logger, 'warn' | 'error'>;
}

/** Never rejects: what cannot be put back is logged, and tried again at the next start. */
export async function putBackPolicy(parts: PutBackParts): Promise<void> {
  try {
    await restore(parts);
  } catch (error) {
    parts.log.error({ err: error }, 'what held before cannot be put back whole; it is tried again at the next start');
  }
}

async function restore({ state, verifier, targets, ladder, log }: PutBackParts): Promise<void> {
  const policy = await policyInForce(state, verifier, log);
  if (policy === undefined) {
    ladder.inForce = 0;
    return targets.applyOwnSettings();
  }
  ladder.isConfirming ||= policy.confirm_within_seconds !== undefined;
  await targets.applyPolicy(policy);
  ladder.inForce = policy.version;
  if (ladder.rung.version > 0) return; // a newer one is being tried or undone: its own story is told
  const problem = await targets.verifyPolicy();
  const reached = policy.confirm_within_seconds === undefined ? 'verified' : 'confirmed';
  ladder.climb(policy.version, problem === undefined ? reached : 'applied', problem ?? null);
}
