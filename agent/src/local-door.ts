/**
 * What the command line of this gateway may do to its running agent: see, explain, add and lift decisions, and take
 * everything out of the kernel. It acts through the same enforcer as verdicts and the controller do.
 */
import type { DecisionEvent } from '@picket/shared/contract/decision';
import { newId, type DecisionId } from '@picket/shared/contract/identifiers';
import type { ControlHandlers, DecisionRequest } from './control/control-server.ts';
import { markHeldOpen, removeHeldOpen } from './enforcement/held-open.ts';
import type { SteadyClock } from './enforcement/steady-clock.ts';
import { AgentError } from './errors.ts';
import { explainHeld } from './explain-held.ts';
import type { Watch } from './watch.ts';

export interface LocalDoorParts {
  readonly stateDir: string;
  readonly watch: Pick<Watch, 'enforcer' | 'verdicts'>;
  readonly clock: SteadyClock;
  /** What `picket-agent status` shows. */
  readonly status: () => unknown;
}

export function localDoor({ stateDir, watch, clock, status }: LocalDoorParts): ControlHandlers {
  const { enforcer, verdicts } = watch;
  return {
    status,
    listDecisions: () => Promise.resolve(enforcer.list()),
    explainDecisions: (idOrValue) => explainHeld(idOrValue, { enforcer, verdicts, nowMs: Date.now() }),
    addDecision: (request) => enforcer.propose(decisionByHand(request)),
    deleteDecisions: (idOrValue): Promise<readonly DecisionEvent[]> => enforcer.delete(idOrValue),
    failOpen: async ({ seconds, who }) => {
      markHeldOpen(stateDir, { seconds, who, clock });
      await enforcer.check();
      const { problem } = enforcer;
      if (problem !== undefined) throw new AgentError('unavailable', `it is not out of the kernel yet: ${problem}`);
    },
    resume: async () => {
      removeHeldOpen(stateDir);
      await enforcer.check();
      return enforcer.list();
    },
  };
}

function decisionByHand(request: DecisionRequest): Parameters<Watch['enforcer']['propose']>[0] {
  const { duration_seconds, ...restriction } = request;
  return {
    ...restriction,
    id: newId() as DecisionId,
    origin: 'analyst',
    scenario: 'by hand',
    mode: 'enforce',
    who: `the gateway's command line (uid ${process.getuid?.() ?? 'unknown'})`,
    alert_id: null,
    rule_id: null,
    duration_seconds,
  };
}
