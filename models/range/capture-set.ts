/** Many captures, several sites at a time; one that fails is reported and does not stop the others. */
import { setTimeout as pause } from 'node:timers/promises';
import { type CaptureOrder, capture } from './capture.ts';
import { planSite } from './plan/plan-site.ts';
import type { Part } from './plan/site-plan.ts';

export interface SetOrder extends Omit<CaptureOrder, 'site' | 'name'> {
  readonly part: Part;
  readonly sites: number;
  readonly first: number;
  readonly jobs: number;
}

/** Between the beginnings of two captures: a site needs a second or two of processor to stand up. */
const staggerMs = 1500;

export async function captureSet(set: SetOrder, log: (line: string) => void, signal: AbortSignal): Promise<void> {
  const numbers = Array.from({ length: set.sites }, (_, index) => set.first + index);
  let failures = 0;
  let nextStart = Date.now();
  const work = async (): Promise<void> => {
    for (let number = numbers.shift(); number !== undefined && !signal.aborted; number = numbers.shift()) {
      const site = planSite(set.part, number);
      const name = `${site.name}-${set.episodes === 0 ? 'life' : (set.family ?? 'attacks')}-${set.seed}`;
      const wait = nextStart - Date.now();
      nextStart = Math.max(nextStart, Date.now()) + staggerMs;
      if (wait > 0) await pause(wait, undefined, { signal });
      log(`${name} begins`);
      try {
        await capture({ ...set, site, name }, (line) => log(`${name}: ${line}`), signal);
        log(`${name} done`);
      } catch (error) {
        failures += 1;
        log(`${name} failed: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.max(Math.min(set.jobs, set.sites), 1) }, work));
  if (failures > 0) throw new Error(`${failures} captures failed`);
}
