/** What an enforcer is given, and what it tells of each decision. */
import type { Logger } from 'pino';
import type { Decision, DecisionEvent, Mode } from '@picket/shared/contract/decision';
import type { DecisionStore } from './decision-store.ts';
import type { Firewall } from './firewall.ts';
import type { Guard } from './guard.ts';
import type { HeldOpenMark } from './held-open.ts';

export interface EnforcerOptions {
  /** Owned by the caller, like the firewall. */
  readonly store: DecisionStore;
  readonly firewall: Firewall;
  readonly guard: Guard;
  readonly mode: Mode;
  /** However harsh a mode anybody asks for, no more than this. Default: `enforce`. */
  readonly ceiling?: Mode;
  readonly onEvent: (event: DecisionEvent) => void;
  readonly log: Pick<Logger, 'info' | 'warn'>;
  /** Milliseconds since 1970 by a clock that never jumps; decisions end by it. Default: the wall clock. */
  readonly now?: () => number;
  /** What the wall clock has more than that, for times that people and the controller say or read. Default: nothing. */
  readonly skewMs?: () => number;
  /** The owner's word that nothing may be restricted now. Default: never. */
  readonly heldOpen?: () => HeldOpenMark | undefined;
  /** What becomes of restrictions when the agent ends unexpectedly; told in the figures. Default: `keep`. */
  readonly failPolicy?: 'keep' | 'open';
  /** How often the kernel is read back. */
  readonly checkEveryMs?: number;
}

/** A decision that should hold, and whether the kernel has it. */
export interface HeldDecision {
  readonly decision: Decision;
  readonly in_kernel: boolean;
}
