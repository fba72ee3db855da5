/** Which attacks a site sees, in which order, in which lane, after which pauses: all from the seed. */
import { Random } from '../random.ts';
import type { SitePlan } from '../plan/site-plan.ts';
import { type EpisodePlan, type Stage } from './episode.ts';
import { type NamedFamily, families } from './families.ts';

export interface PlannedEpisode {
  readonly family: string;
  readonly plan: EpisodePlan;
  /** Rest before it, in its lane. */
  readonly pauseSeconds: number;
}

/**
 * `count` episodes, every family as often as the others as far as the site has something for them; only those of
 * `family`, where it is given. The same site and seed give the same list.
 */
export function planEpisodes(site: SitePlan, seed: number, count: number, family: string | null): PlannedEpisode[] {
  const random = new Random(seed ^ site.seed);
  const used = new Set<string>();
  const freshAddress = (): string => {
    for (;;) {
      const address = random.pick([
        () => `192.0.2.${random.integer(1, 254)}`,
        () => `198.51.100.${random.integer(1, 254)}`,
        () => `203.0.113.${random.integer(1, 254)}`,
        () => `198.18.${random.integer(210, 250)}.${random.integer(1, 254)}`,
      ])();
      if (!used.has(address)) return used.add(address) && address;
    }
  };
  const stage: Stage = { site, part: site.part, random, freshAddress, inside: null };
  const wanted = family === null ? families : families.filter(({ name }) => name === family);
  const planned: PlannedEpisode[] = [];
  let order: NamedFamily[] = [];
  for (let misses = 0; planned.length < count && misses < 10 * families.length;) {
    if (order.length === 0) order = shuffled(wanted, random);
    const next = order.pop();
    const plan = next?.plan(stage);
    if (next === undefined || plan === undefined) misses += 1;
    else planned.push({ family: next.name, plan, pauseSeconds: random.exponential(5) + 2 });
  }
  return planned;
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  return items
    .map((item) => ({ item, key: random.next() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}
