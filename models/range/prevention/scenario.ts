/** What a scenario of prevention is, and what comes out of one. */
import type { TrafficClass } from '@picket/shared/features/traffic-classes';
import type { Field } from './field.ts';
import type { NetworkPlan } from './guarded-network.ts';
import type { Collateral } from './steady-client.ts';

/** What the owner of a gateway is afraid of. */
export const groups = [
  'attacks',
  'lockout',
  'commit-confirm',
  'life cycle',
  'foreign rules',
  'networks',
  'restrictions',
  'modes',
  'fleet',
] as const;
export type Group = (typeof groups)[number];

/** One file in `scenarios/`, which gives it its name. */
export interface Scenario {
  readonly group: Group;
  /** What must be so, in a sentence or two. */
  readonly expectation: string;
  /** Programs without which it cannot be run, beyond those of every scenario. */
  readonly needs?: readonly string[];
  /** What is attacked or restricted; the device always has a web server. */
  readonly network?: NetworkPlan;
  /** Whom the honest client visits all the time. Default: the device. */
  readonly honestClientVisits?: 'device' | 'neighbour';
  /** After this it has failed. Default: 300. */
  readonly limitSeconds?: number;
  /** The class of the live attack whose time to block it measures. */
  readonly attack?: Exclude<TrafficClass, 'benign'>;
  /** Why it does not hold yet: then it is run by its name and timed, but neither listed nor part of `all` or of CI. */
  readonly awaits?: string;
  run(field: Field): Promise<void>;
}

export interface NamedScenario extends Scenario {
  readonly name: string;
}

export interface Expectation {
  readonly what: string;
  readonly met: boolean;
  /** What was seen. */
  readonly evidence: string;
}

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
