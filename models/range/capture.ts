/** One capture: a site comes up, lives, is perhaps attacked, and what crossed its gateway is kept, with the truth. */
import { mkdir, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { EpisodePlan } from './attacks/episode.ts';
import { clashes } from './attacks/device-tools.ts';
import { type PlannedEpisode, planEpisodes } from './attacks/plan-episodes.ts';
import { nowUs, runEpisode } from './attacks/run-episode.ts';
import type { CaptureLabels, LabelRule } from './labels.ts';
import { Recording } from './recording.ts';
import { SiteLife } from './site-life.ts';
import { Site } from './site.ts';
import type { SitePlan } from './plan/site-plan.ts';

export interface CaptureOrder {
  readonly site: SitePlan;
  readonly seed: number;
  /** 0: life alone, for `lifeSeconds`. */
  readonly episodes: number;
  /** One family only, or null for all in turn. */
  readonly family: string | null;
  /** Attackers at the same time, each with another victim, other addresses, another tool. */
  readonly lanes: number;
  /** Honest life before the first attack, or altogether. */
  readonly lifeSeconds: number;
  readonly folder: string;
  readonly name: string;
}

/** Make `NAME.pcap` and `NAME.labels.json`, and the same of the outer side where addresses are translated. Needs root. */
export async function capture(order: CaptureOrder, log: (line: string) => void, signal: AbortSignal): Promise<void> {
  const { site: plan } = order;
  const episodes = planEpisodes(plan, order.seed, order.episodes, order.family);
  await mkdir(order.folder, { recursive: true });
  await using resources = new AsyncDisposableStack();
  const site = resources.use(await Site.open(plan, order.episodes === 0 ? 0 : order.lanes));
  const file = (suffix: string): string => resolve(order.folder, `${order.name}${suffix}`);
  const recordings = [resources.use(await Recording.start(site.gateway, 'lan0', file('.pcap')))];
  if (plan.isTranslated && order.episodes > 0) {
    recordings.push(resources.use(await Recording.start(site.gateway, 'wan0', file('-wan.pcap'))));
  }
  const fromUs = nowUs();
  resources.use(await SiteLife.start(site, log));
  await pause(order.lifeSeconds * 1000, undefined, { signal });
  const rules = await playAll(site, episodes, log, signal);
  for (const recording of recordings) {
    const lost = await recording.finish();
    if (lost > 0) log(`${lost} packets were not kept: too much for this machine`);
  }
  const labels: CaptureLabels = {
    format: 1,
    name: order.name,
    site: plan.name,
    seed: order.seed,
    settings: plan.part,
    lan_prefix: `${plan.lan}.0/24`,
    lan_prefixes: [`${plan.lan}.0/24`, ...(plan.lan6 === null ? [] : [`${plan.lan6}/64`])],
    view: 'lan',
    kind: order.episodes === 0 ? 'life' : 'attack',
    from_us: fromUs,
    to_us: nowUs(),
    rules,
  };
  await writeLabels(file('.labels.json'), labels);
  if (recordings.length > 1) await writeLabels(file('-wan.labels.json'), outerView(labels, plan));
}

const writeLabels = (path: string, labels: CaptureLabels): Promise<void> =>
  writeFile(path, `${JSON.stringify(labels)}\n`);

/** The lanes share the list: whichever is free takes the next episode. */
async function playAll(
  site: Site,
  episodes: readonly PlannedEpisode[],
  log: (line: string) => void,
  signal: AbortSignal,
): Promise<LabelRule[]> {
  const rules: LabelRule[] = [];
  const left = [...episodes.entries()];
  const running = new Set<EpisodePlan>();
  const play = async (lane: Site['lanes'][number], device: string): Promise<void> => {
    for (let next = take(left, running); next !== undefined; next = take(left, running)) {
      const [number, { plan, pauseSeconds }] = next;
      running.add(plan);
      await pause(pauseSeconds * 1000, undefined, { signal });
      rules.push(...(await runEpisode(site, lane, device, plan, number, log, signal)));
      running.delete(plan);
    }
  };
  await Promise.all(site.lanes.map((lane, index) => play(lane, `lane${index}`)));
  await pause(2000, undefined, { signal });
  // a made-up source could be anybody's: whoever is named by a rule of his own comes first
  // and whoever is attacked by name comes before everybody
  return rules.sort(
    (a, b) =>
      Number(a.src_ip === null) - Number(b.src_ip === null) ||
      Number(a.dst_ip === null) - Number(b.dst_ip === null) ||
      a.from_us - b.from_us,
  );
}

/** The next episode that gets along with those that run; where none does, the next one all the same. */
function take(
  left: [number, PlannedEpisode][],
  running: ReadonlySet<EpisodePlan>,
): [number, PlannedEpisode] | undefined {
  const index = left.findIndex(([, { plan }]) => ![...running].some((other) => clashes(plan, other)));
  return left.splice(Math.max(index, 0), 1)[0];
}

/** Behind translation every inside address is the gateway's outer one, and its ports are the gateway's choice. */
export function outerView(labels: CaptureLabels, plan: SitePlan): CaptureLabels {
  const outer = (address: string | null): string | null =>
    address?.startsWith(`${plan.lan}.`) === true ? plan.outer : address;
  return {
    ...labels,
    name: `${labels.name}-wan`,
    view: 'wan',
    lan_prefix: `${plan.outer}/32`,
    lan_prefixes: [`${plan.outer}/32`, ...(plan.lan6 === null ? [] : [`${plan.lan6}/64`])],
    rules: labels.rules.flatMap((rule) => {
      const translated = { ...rule, src_ip: outer(rule.src_ip), dst_ip: outer(rule.dst_ip) };
      const seen = { ...translated, dst_port: translated.dst_ip === plan.outer ? null : rule.dst_port };
      // what belongs to no connection that the gateway knows leaves as it is: the resets of a raw scanner's host
      return translated.src_ip === rule.src_ip ? [seen] : [seen, rule];
    }),
  };
}
