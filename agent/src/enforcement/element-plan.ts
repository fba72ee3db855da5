/**
 * Which elements the decisions that hold need, kept from one change to the next: one decision more among ten thousand
 * costs what one decision costs. Pure; the kernel is told by others, and `commit` is called when it has agreed.
 */
import type { Restriction } from './restriction.ts';
import { planElements, type KernelElement, type KernelSet, type Ruleset, type RulesetOptions } from './nft-ruleset.ts';

/** What differs between the plan and what shall hold. */
export interface PlanChange {
  readonly newSets: readonly KernelSet[];
  /** Names of sets that hold nothing any more. */
  readonly emptied: readonly string[];
  readonly added: readonly KernelElement[];
  /** Without what has run out: the kernel has forgotten it by itself. */
  readonly gone: readonly KernelElement[];
  /** Decisions that were not planned, or differently. */
  readonly fresh: readonly Restriction[];
  /** Ids of decisions that hold no more, or differently. */
  readonly dropped: readonly string[];
  readonly next: readonly PlannedDecision[];
  readonly claims: ReadonlyMap<string, readonly KernelElement[]>;
  /** By how many elements each set grows, by its name. */
  readonly growth: ReadonlyMap<string, number>;
}

export function isNoChange({ fresh, dropped }: PlanChange): boolean {
  return fresh.length === 0 && dropped.length === 0;
}

interface PlannedDecision {
  readonly decision: Restriction;
  /** Which elements make it hold; another decision may need one of them for longer. */
  readonly elements: readonly KernelElement[];
  readonly expiresAtMs: number;
  /** The comparison that last found it unchanged, or new. */
  seenIn: object;
}

export class ElementPlan implements Ruleset {
  readonly sets = new Map<string, KernelSet>();
  readonly elements = new Map<string, KernelElement>();
  readonly #decisions = new Map<string, PlannedDecision>();
  /** Elements that more than one decision needs, by key: one for each of them. */
  readonly #shared = new Map<string, readonly KernelElement[]>();
  /** How many elements a set has, by its name. */
  readonly #sizes = new Map<string, number>();

  /** Throws where a decision's value is not one that may be restricted. */
  static of(decisions: readonly Restriction[], options: RulesetOptions): ElementPlan {
    const plan = new ElementPlan();
    plan.commit(plan.compare(decisions, options));
    return plan;
  }

  /** By id: what is planned. */
  get decisions(): ReadonlyMap<string, Pick<PlannedDecision, 'elements'>> {
    return this.#decisions;
  }

  /** Does the plan hold this decision with a verdict? What is only counted cuts nothing yet. */
  enforces(id: string): boolean {
    return this.#decisions.get(id)?.decision.mode === 'enforce';
  }

  /** Each id once. Changes nothing. Throws where a decision's value is not one that may be restricted. */
  compare(decisions: readonly Restriction[], options: RulesetOptions): PlanChange {
    const { nowMs } = options;
    const comparison = {};
    const next: PlannedDecision[] = [];
    const sets = new Map(this.sets);
    let unchanged = 0;
    for (const decision of decisions) {
      const known = this.#decisions.get(decision.id);
      if (known !== undefined && known.expiresAtMs > nowMs && needsTheSame(known.decision, decision)) {
        known.seenIn = comparison;
        unchanged += 1;
        continue;
      }
      const expiresAtMs = Date.parse(decision.expires_at);
      if (decision.mode === 'observe' || !(expiresAtMs > nowMs)) continue;
      const elements = planElements(decision, expiresAtMs, sets, options);
      next.push({ decision, elements, expiresAtMs, seenIn: comparison });
    }
    const dropped =
      unchanged === this.#decisions.size
        ? []
        : [...this.#decisions.values()].filter(({ seenIn }) => seenIn !== comparison);
    const claims = this.#claimsAfter(dropped, next);
    return { ...this.#difference(claims, sets, next, nowMs), claims, next, dropped: dropped.map(idOf) };
  }

  /** What was compared holds from here on. A comparison is committed before the next one, or never. */
  commit(change: PlanChange): void {
    for (const id of change.dropped) this.#decisions.delete(id);
    for (const planned of change.next) this.#decisions.set(planned.decision.id, planned);
    for (const [key, claims] of change.claims) {
      const longest = lastToEnd(claims);
      if (longest === undefined) this.elements.delete(key);
      else this.elements.set(key, longest);
      if (claims.length > 1) this.#shared.set(key, claims);
      else this.#shared.delete(key);
    }
    for (const set of change.newSets) this.sets.set(set.name, set);
    for (const [name, more] of change.growth) this.#sizes.set(name, this.#sizeAfter(name, more));
    for (const name of change.emptied) {
      this.sets.delete(name);
      this.#sizes.delete(name);
    }
  }

  /** Of the elements that are touched: who needs them then. */
  #claimsAfter(
    dropped: readonly PlannedDecision[],
    fresh: readonly PlannedDecision[],
  ): Map<string, readonly KernelElement[]> {
    const claims = new Map<string, readonly KernelElement[]>();
    const claimsOf = (key: string): readonly KernelElement[] => {
      const known = claims.get(key) ?? this.#shared.get(key);
      if (known !== undefined) return known;
      const only = this.elements.get(key);
      return only === undefined ? none : [only];
    };
    for (const { decision, elements } of dropped) {
      for (const { key } of elements) {
        claims.set(
          key,
          claimsOf(key).filter(({ decisionId }) => decisionId !== decision.id),
        );
      }
    }
    for (const { elements } of fresh) {
      for (const element of elements) {
        const others = claimsOf(element.key);
        // most decisions need one element, which nobody else needs: then no list is made for it
        const first = elements.length === 1 ? elements : [element];
        claims.set(element.key, others.length === 0 ? first : [...others, element]);
      }
    }
    return claims;
  }

  #difference(
    claims: ReadonlyMap<string, readonly KernelElement[]>,
    sets: ReadonlyMap<string, KernelSet>,
    next: readonly PlannedDecision[],
    nowMs: number,
  ): Pick<PlanChange, 'newSets' | 'emptied' | 'added' | 'gone' | 'fresh' | 'growth'> {
    const added: KernelElement[] = [];
    const gone: KernelElement[] = [];
    const growth = new Map<string, number>();
    const grow = (set: string, by: number): void => void growth.set(set, (growth.get(set) ?? 0) + by);
    for (const [key, claimed] of claims) {
      const before = this.elements.get(key);
      const after = lastToEnd(claimed);
      if (before === undefined && after !== undefined) grow(after.set, 1);
      if (before !== undefined && after === undefined) grow(before.set, -1);
      if (before?.expiresAtMs === after?.expiresAtMs) continue;
      if (before !== undefined && before.expiresAtMs > nowMs) gone.push(before);
      if (after !== undefined) added.push(after);
    }
    const fresh = next.map(({ decision }) => decision);
    const emptied = [...growth].filter(([name, more]) => this.#sizeAfter(name, more) === 0).map(([name]) => name);
    const newSets = [...growth.keys()].filter((name) => !this.sets.has(name)).map((name) => sets.get(name)!);
    return { newSets, emptied, added, gone, fresh, growth };
  }

  #sizeAfter(set: string, more: number): number {
    return (this.#sizes.get(set) ?? 0) + more;
  }
}

const none: readonly KernelElement[] = [];

function lastToEnd(claims: readonly KernelElement[]): KernelElement | undefined {
  let last = claims[0];
  for (const claim of claims) if (claim.expiresAtMs > last!.expiresAtMs) last = claim;
  return last;
}

function needsTheSame(one: Restriction, other: Restriction): boolean {
  // what a MAC stands for changes with the addresses that it is seen with
  if (other.scope === 'device') return false;
  return (
    one === other ||
    (one.expires_at === other.expires_at &&
      one.scope === other.scope &&
      one.value === other.value &&
      one.direction === other.direction &&
      one.action === other.action &&
      one.mode === other.mode)
  );
}

function idOf({ decision }: PlannedDecision): string {
  return decision.id;
}
