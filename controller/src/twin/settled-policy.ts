/** When a gateway's policy holds for good: what is only applied, or only verified, may still be put back. Pure. */
import type { ReportedStep } from '@picket/shared/contract/twin';

/** Agents from this protocol on prove a policy over new connections or put the one before back, and prove an unblock. */
export const provingProtocol = 2;

/** An agent that cannot confirm has said all it can with `verified`. */
export function isSettled(step: ReportedStep, confirms: boolean): boolean {
  return step === 'confirmed' || (step === 'verified' && !confirms);
}
