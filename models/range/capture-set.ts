/** The sets that models are built on: every scenario on its sites with its seeds. Train and validation share neither. */
import { join } from 'node:path';
import type { Settings } from './attacks/attack-step.ts';
import { type CaptureOrder, capture } from './capture.ts';
import { families } from './families.ts';

interface SetPlan {
  /** Each scenario is captured once on each, with its own seed. */
  readonly sites: readonly { readonly site: string; readonly seed: number; readonly isQuietOnly?: boolean }[];
  /** Honest life alone, per site. */
  readonly benignSeconds: number;
}
/** Attacks of few flows: played again with another seed, so that they are not drowned by floods and scans. */
const quiet = new Set(['brute-force-ssh', 'brute-force-ftp', 'beacon', 'exfiltration', 'slow-rate']);

const sets: Readonly<Partial<Record<Settings, SetPlan>>> = {
  train: {
    sites: [
      { site: 'home', seed: 101 },
      { site: 'plant', seed: 202 },
      { site: 'kiosk', seed: 303 },
      { site: 'home', seed: 151, isQuietOnly: true },
      { site: 'plant', seed: 252, isQuietOnly: true },
    ],
    benignSeconds: 360,
  },
  validation: {
    sites: [
      { site: 'clinic', seed: 903 },
      { site: 'clinic', seed: 953, isQuietOnly: true },
    ],
    benignSeconds: 300,
  },
};

/** Capture a set, `jobs` at a time; a capture that fails is reported and does not stop the others. */
export async function captureSet(
  settings: Settings,
  out: string,
  jobs: number,
  only: { readonly scenario: string | null; readonly site: string | null; readonly seed: number | null },
  log: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const plan = sets[settings];
  if (plan === undefined) throw new Error(`there is no set "${settings}"; use capture`);
  const sites = plan.sites.filter(
    ({ site, seed }) => (only.site === null || site === only.site) && (only.seed === null || seed === only.seed),
  );
  const orders = sites.flatMap(({ site, seed, isQuietOnly = false }) =>
    families.flatMap((family, index): CaptureOrder[] => {
      if (only.scenario !== null && family.name !== only.scenario) return [];
      if (isQuietOnly && !quiet.has(family.name)) return [];
      return [
        {
          family,
          settings,
          site,
          seed: seed + index,
          folder: join(out, settings),
          name: `${family.name}-${site}-${seed}`,
          leadSeconds: family.name === 'benign' ? plan.benignSeconds : 12,
          pauseSeconds: 8,
        },
      ];
    }),
  );
  let failures = 0;
  const work = async (): Promise<void> => {
    for (let order = orders.shift(); order !== undefined && !signal.aborted; order = orders.shift()) {
      const { name } = order;
      log(`${name} begins`);
      try {
        await capture(order, (line) => log(`${name}: ${line}`), signal);
        log(`${name} done`);
      } catch (error) {
        failures += 1;
        log(`${name} failed: ${String(error)}`);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.max(jobs, 1) }, work));
  if (failures > 0) throw new Error(`${failures} captures failed`);
}
