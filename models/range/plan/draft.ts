/** A site whose life is still being written, and what those who write it ask it. */
import type { Conversation, Serving } from '../programs/conversation.ts';
import type { Random } from '../random.ts';
import { type DevicePlan, type SitePlan, addressOf } from './site-plan.ts';

type Place = 'wired' | 'wireless' | 'outside';

/** A site whose life is still being written. */
export interface Draft {
  readonly site: Omit<SitePlan, 'conversations' | 'servings'>;
  readonly random: Random;
  readonly conversations: Readonly<Record<Place, Conversation[]>>;
  readonly servings: Readonly<Record<Place, Serving[]>>;
}

/** Devices of the other half: what passes between the halves is what the gateway sees. */
export const across = ({ site }: Draft, device: DevicePlan): DevicePlan[] =>
  site.devices.filter(({ half }) => half !== device.half);

/** Where a device begins its conversations. */
export const at = ({ site, random }: Draft, device: DevicePlan) =>
  ({ random, from: addressOf(site, device), from6: null }) as const;

/** Something answers HTTP there from now on, unless something does already. */
export function answers(draft: Draft, device: DevicePlan, port: number, isTls = false): void {
  const address = addressOf(draft.site, device);
  const isTaken =
    device.services.some((service) => service.port === port) ||
    draft.servings[device.half].some((serving) => serving.address === address && serving.port === port);
  if (!isTaken) draft.servings[device.half].push({ kind: 'http', address, port, isTls });
}

/** Of the kinds named, or any device where the site has none of them. */
export function someDevice({ site, random }: Draft, ...kinds: readonly string[]): DevicePlan {
  const fitting = site.devices.filter(({ role }) => kinds.includes(role));
  return random.pick(fitting.length > 0 ? fitting : site.devices);
}

/** Hosts outside where people of the site have accounts: a shell and a file server. */
export const outsideShell = ({ cloud }: Pick<SitePlan, 'cloud'>): string => cloud[0]!;
export const outsideFiles = ({ cloud }: Pick<SitePlan, 'cloud'>): string => cloud[1]!;
