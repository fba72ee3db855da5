/** What a scenario of prevention is. */
import type { TrafficClass } from '@picket/shared/features/traffic-classes';
import type { Field, FieldPlan } from './field.ts';

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
export interface Scenario extends FieldPlan {
  readonly group: Group;
  /** What must be so, in a sentence or two. */
  readonly expectation: string;
  /** Programs without which it cannot be run, beyond those of every scenario. */
  readonly needs?: readonly string[];
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
