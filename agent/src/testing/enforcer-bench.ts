/** An enforcer in a test: its store, a firewall in memory, a clock that is moved by hand, and all that it told. */
import { DecisionEvent, type Decision } from '@picket/shared/contract/decision';
import { newId, type DecisionId } from '@picket/shared/contract/identifiers';
import { DecisionStore } from '../enforcement/decision-store.ts';
import type { EnforcerOptions } from '../enforcement/enforcer-options.ts';
import { Enforcer } from '../enforcement/enforcer.ts';
import { emptyGuard } from '../enforcement/guard.ts';
import type { DecisionDraft } from '../verdict/decision-draft.ts';
import { decision } from './decisions.ts';
import { MemoryFirewall } from './memory-firewall.ts';

const silent = { info: () => {}, warn: () => {} };

export class EnforcerBench {
  readonly firewall = new MemoryFirewall();
  readonly events: DecisionEvent[] = [];
  nowMs = Date.UTC(2026, 0, 1);
  readonly store: DecisionStore;
  readonly #onEnd: (close: () => Promise<void>) => void;

  /** `onEnd` is told what to call when the test is over. The store stays open: an agent that is killed closes none. */
  constructor(onEnd: (close: () => Promise<void>) => void, path = ':memory:') {
    this.#onEnd = onEnd;
    this.store = DecisionStore.open({ path });
  }

  async open(options: Partial<EnforcerOptions> = {}): Promise<Enforcer> {
    const enforcer = await Enforcer.open({
      store: this.store,
      firewall: this.firewall,
      guard: { ...emptyGuard, ownAddresses: ['192.168.1.1'] },
      mode: 'enforce',
      onEvent: (event) => this.events.push(DecisionEvent.parse(event)),
      log: silent,
      now: () => this.nowMs,
      checkEveryMs: 3_600_000,
      ...options,
    });
    this.#onEnd(() => enforcer[Symbol.asyncDispose]());
    return enforcer;
  }

  block(changes: Partial<Decision> = {}): Decision {
    return decision(changes, this.nowMs);
  }

  get states(): readonly string[] {
    return this.events.map((event) => event.state);
  }

  get held(): readonly string[] {
    return this.firewall.decisions.map((held) => `${held.mode} ${held.value}`);
  }
}

/** What the model or a rule proposes: a block for ten minutes where nothing else is said. */
export function draft(changes: Partial<DecisionDraft> = {}): DecisionDraft {
  const { created_at: _, expires_at: __, ...rest } = decision();
  return { ...rest, origin: 'model', id: newId() as DecisionId, duration_seconds: 600, ...changes };
}
