/**
 * New decisions on their way: past the guard and the mode gate, into the kernel in one batch, read back, and told once
 * they are on the disk as well. One call at a time.
 */
import { setImmediate as letOthersRun } from 'node:timers/promises';
import type { Decision, DecisionEvent } from '@picket/shared/contract/decision';
import type { Admission } from './admission.ts';
import type { DecisionKeeper } from './decision-keeper.ts';
import type { DecisionStore } from './decision-store.ts';
import type { DecisionTeller } from './decision-teller.ts';
import type { KernelSide, Terms } from './kernel-side.ts';

export interface DecisionIntakeParts {
  readonly store: Pick<DecisionStore, 'get'>;
  readonly admission: Admission;
  readonly keeper: DecisionKeeper;
  readonly kernel: KernelSide;
  readonly teller: DecisionTeller;
}

/** So many are looked at in one go; the firewall is at work on them while others are. */
const piece = 1000;

export class DecisionIntake {
  readonly #parts: DecisionIntakeParts;

  constructor(parts: DecisionIntakeParts) {
    this.#parts = parts;
  }

  /** An event for each, in order, except those that are held already. `forgeable`: ids of those whose source may be forged. */
  async take(
    decisions: readonly Decision[],
    current: Terms,
    forgeable: ReadonlySet<string>,
  ): Promise<readonly DecisionEvent[]> {
    const { store, admission, keeper, kernel, teller } = this.#parts;
    const admitted = new Map<string, Decision>();
    const refusals = new Map<Decision, DecisionEvent>();
    for (let from = 0; from < decisions.length; from += piece) {
      if (from > 0) await letOthersRun();
      const some = decisions.slice(from, from + piece);
      const fresh: Decision[] = [];
      const terms = { ...current, lifted: keeper.liftedAmong(some), forgeable };
      for (const asked of some) {
        if (store.get(asked.id) !== undefined || admitted.has(asked.id)) continue;
        const outcome = admission.admit(asked, { ...terms, ahead: admitted.size });
        if (outcome.state === 'admitted') {
          admitted.set(asked.id, outcome.decision);
          fresh.push(outcome.decision);
        } else refusals.set(asked, teller.tell(outcome.decision, outcome.state, outcome.reason));
      }
      // one piece holds without it just as soon
      if (decisions.length > piece) kernel.announce(fresh, current);
    }
    keeper.keep([...admitted.values()]);
    for (const id of admitted.keys()) kernel.unverified.add(id);
    let isSaved = false;
    const save = (): void => {
      if (!isSaved) keeper.save();
      isSaved = true;
    };
    const problem = admitted.size > 0 ? await kernel.hold(current, save) : undefined;
    return decisions.flatMap((asked) => {
      const decision = admitted.get(asked.id);
      admitted.delete(asked.id);
      return decision === undefined ? (refusals.get(asked) ?? []) : this.#outcomeOf(decision, problem);
    });
  }

  #outcomeOf(decision: Decision, problem: string | undefined): DecisionEvent {
    const { kernel, teller } = this.#parts;
    if (!kernel.unverified.has(decision.id)) {
      return teller.eventOf(decision, decision.mode === 'simulate' ? 'simulated' : 'verified', null);
    }
    return teller.tell(decision, 'failed', problem ?? 'the kernel holds nothing for it');
  }
}
