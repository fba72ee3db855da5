/** Tools that run on a device: its half of the LAN is one namespace, and what they send must bear the device's address. */
import type { Site } from '../site.ts';
import { type EpisodePlan, isAttacker } from './episode.ts';

const victimsOf = (plan: EpisodePlan): string[] =>
  plan.truth.flatMap(({ dst_ip }) => (dst_ip === null || dst_ip.includes(':') ? [] : [dst_ip]));

/** Do two devices of one half attack the same host? What they send could not be told apart. */
export function clashes(one: EpisodePlan, other: EpisodePlan): boolean {
  if (isAttacker(one.origin) || isAttacker(other.origin)) return false;
  const taken = new Set(victimsOf(other));
  return one.origin.half === other.origin.half && victimsOf(one).some((victim) => taken.has(victim));
}

/** From now until disposal, whoever sends to the plan's victims without choosing an address has that of its device. */
export async function lendAddress(site: Site, plan: EpisodePlan): Promise<AsyncDisposable> {
  const { origin } = plan;
  if (isAttacker(origin)) return { [Symbol.asyncDispose]: () => Promise.resolve() };
  const namespace = site.namespaceOf(origin);
  const table = site.tableOf(origin);
  const victims = [...new Set(victimsOf(plan))];
  const rules = (verb: 'add' | 'del'): string[] =>
    victims.map((victim) => `rule ${verb} from 0.0.0.0/32 to ${victim} lookup ${table}`);
  await namespace.ip(rules('add'));
  return { [Symbol.asyncDispose]: () => namespace.ip(rules('del')) };
}
