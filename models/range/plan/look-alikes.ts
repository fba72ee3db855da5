/** Honest life that looks like attack: what a site of the second edition does beside the habits of its devices. */
import { bursts } from './bursts.ts';
import type { Draft } from './draft.ts';
import { failedLogins } from './failed-logins.ts';
import { lookouts } from './lookouts.ts';
import { pollers } from './pollers.ts';

export function planLookAlikes(draft: Draft): void {
  pollers(draft);
  failedLogins(draft);
  lookouts(draft);
  bursts(draft);
}
