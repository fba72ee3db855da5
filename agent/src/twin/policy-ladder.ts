/** Where a policy stands, step by step, as the controller is told. */
import type { PolicyReported, ReportedStep } from '@picket/shared/contract/twin';

const maxSteps = 16;

export class PolicyLadder {
  /** The controller asked for confirmation, so it understands what is reported with it. */
  isConfirming = false;
  /** The version whose content holds; 0: the gateway's own settings. */
  inForce = 0;
  readonly #onChanged: () => void;
  #rung: PolicyReported = { version: 0, step: 'received', detail: 'nothing yet' };
  #steps: NonNullable<PolicyReported['steps']> = [];

  constructor(onChanged: () => void) {
    this.#onChanged = onChanged;
  }

  get rung(): Pick<PolicyReported, 'version' | 'step' | 'detail'> {
    return this.#rung;
  }

  get reported(): PolicyReported {
    return this.isConfirming ? { ...this.#rung, in_force: this.inForce, steps: this.#steps } : this.#rung;
  }

  /** Another policy begins at the bottom. */
  begin(): void {
    this.#steps = [];
  }

  climb(version: number, step: ReportedStep, detail: string | null): void {
    const isNews = version !== this.#rung.version || step !== this.#rung.step;
    this.#rung = { version, step, detail };
    if (isNews) this.#steps = [...this.#steps, { step, at: new Date().toISOString() }].slice(-maxSteps);
    this.#onChanged();
  }

  /** Says with the reason what holds again in its place. */
  rollBack(version: number, reason: string): void {
    const held = this.inForce === 0 ? "the gateway's own settings hold" : `version ${this.inForce} holds`;
    this.climb(version, 'rolled_back', `${held} again: ${reason}`.slice(0, 500));
  }
}
