/** What comes out of a scenario. */
import type { Expectation } from './field.ts';
import type { Group } from './scenario.ts';
import type { Collateral } from './steady-client.ts';

export interface ScenarioResult {
  readonly name: string;
  readonly kind: 'prevention';
  readonly group: Group;
  /** Every expectation met, nothing thrown, nothing lost by the honest client. */
  readonly passed: boolean;
  readonly seconds: number;
  readonly expectations: readonly Expectation[];
  /** First packet of the attack at the gateway → in the kernel, or null where nothing is measured. */
  readonly attack_to_drop_ms: number | null;
  /** Fifth refused log-in → in the kernel, or null where there were fewer, or nobody can see it. */
  readonly fifth_failed_login_to_drop_ms: number | null;
  /** Null where the scenario ended before the client began. */
  readonly collateral: Collateral | null;
  /** Why it could not be carried through. */
  readonly error: string | null;
  /** What the agents said last and what the kernel held; empty where it passed. */
  readonly agents: string;
}
