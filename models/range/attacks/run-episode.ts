/** Does what an episode's plan says, and says which flows were its work. */
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { LabelRule } from '../labels.ts';
import { type Namespace, stop } from '../namespace.ts';
import type { LifePlan } from '../programs/conversation.ts';
import { Random } from '../random.ts';
import { startDaemon } from '../services.ts';
import { lifeCommand } from '../site-life.ts';
import type { Site } from '../site.ts';
import { lendAddress } from './device-tools.ts';
import { type Attacker, type EpisodePlan, isAttacker } from './episode.ts';

/** Leftovers of a connection may still be on their way when its tool is gone. */
const lingerUs = 3_000_000;
export const nowUs = (): number => Date.now() * 1000; // the clock tcpdump stamps packets with

export async function runEpisode(
  site: Site,
  lane: Namespace,
  laneDevice: string,
  plan: EpisodePlan,
  number: number,
  log: (line: string) => void,
  signal: AbortSignal,
): Promise<LabelRule[]> {
  const folder = join(site.folder, `episode${number}`);
  await mkdir(folder);
  const fill = (text: string): string => text.replaceAll('{folder}', folder).replaceAll('{site}', site.folder);
  for (const [name, text] of Object.entries(plan.files))
    await writeFile(join(folder, name), fill(text), { mode: 0o755 });
  await using resources = new AsyncDisposableStack();
  if (isAttacker(plan.origin) || plan.control !== null) await clear(lane);
  if (isAttacker(plan.origin)) await moveIn(site, lane, laneDevice, plan.origin);
  if (plan.control !== null) {
    await addAddress(site, lane, laneDevice, plan.control);
    const serving: LifePlan = {
      servers: plan.servings,
      conversations: [],
      storms: [],
      certificate: join(site.folder, 'certificate.pem'),
      key: join(site.folder, 'key.pem'),
    };
    await writeFile(join(folder, 'servings'), JSON.stringify(serving));
    const server = lane.spawn(lifeCommand(join(folder, 'servings')));
    resources.defer(() => stop(server));
    await pause(600); // a first beacon that is refused belongs to the trade
    resources.defer(() => lane.endAll());
    for (const { software, port } of plan.daemons ?? []) {
      const random = new Random(site.plan.seed + number);
      const place = { namespace: lane, folder, site: site.folder, address: plan.control, port, random };
      // a victim that refuses is attacked all the same
      await startDaemon(software, place).catch((error: unknown) => log(`${plan.step.slice(0, 60)}: ${String(error)}`));
    }
    if (plan.answering !== undefined) resources.use(await answerFor(site, lane, laneDevice, plan.answering));
  }
  resources.use(await lendAddress(site, plan));
  const namespace = isAttacker(plan.origin) ? lane : site.namespaceOf(plan.origin);
  const output = join(folder, 'output');
  const fromUs = nowUs();
  // a group of its own: what the tool starts ends with it
  const child = namespace.spawn(['bash', '-c', 'exec "$@" >"$0" 2>&1', output, ...plan.argv.map(fill)], {
    cwd: folder,
    detached: true,
  });
  const ending = AbortSignal.any([signal, AbortSignal.timeout(plan.seconds * 1000)]);
  const cut = (): void => void end(child.pid);
  ending.addEventListener('abort', cut);
  const [status] = (await once(child, 'exit')) as [number | null];
  ending.removeEventListener('abort', cut);
  await end(child.pid); // what it left running
  const toUs = nowUs();
  const seconds = (toUs - fromUs) / 1e6;
  const said = seconds < 2 ? ` SHORT: ${(await readFile(output, 'utf8').catch(() => '')).trim().slice(-300)}` : '';
  log(`${plan.class}: ${plan.step.slice(0, 110)}: ${seconds.toFixed(1)} s, status ${String(status)}${said}`);
  return plan.truth.map((part) => ({
    class: plan.class,
    ...part,
    from_us: fromUs - 1000,
    to_us: toUs + lingerUs,
    step: plan.step.slice(0, 200),
    tool: plan.tool,
    episode: number,
  }));
}

/** Nobody's address of an earlier episode is left: some tools take the first that the interface has. */
async function clear(lane: Namespace): Promise<void> {
  await lane.ip([
    'address flush dev eth0',
    'route replace 169.254.0.1 dev eth0',
    'route replace default via 169.254.0.1',
    '-6 address flush dev eth0 scope global',
    '-6 route replace default via fe80::1 dev eth0',
  ]);
}

/** An address of the lane that the world knows the way to. */
async function addAddress(site: Site, lane: Namespace, laneDevice: string, address: string): Promise<void> {
  const isLong = address.includes(':');
  const family = isLong ? '-6 ' : '';
  await lane.ip([`${family}address replace ${address}/${isLong ? '128' : '32'} dev eth0${isLong ? ' nodad' : ''}`]);
  await site.outside.ip([`${family}route replace ${address}/${isLong ? '128' : '32'} dev ${laneDevice}`]);
}

/** Every address of a network is at home in the lane until disposal. */
async function answerFor(site: Site, lane: Namespace, laneDevice: string, network: string): Promise<AsyncDisposable> {
  await lane.ip([`route replace local ${network} dev lo`]);
  await site.outside.ip([`route replace ${network} dev ${laneDevice}`]);
  return {
    async [Symbol.asyncDispose]() {
      await site.outside.run(['ip', 'route', 'del', network, 'dev', laneDevice]); // another lane may have taken it
      await lane.ip([`route del local ${network} dev lo`]);
    },
  };
}

/** The attacker's host: new addresses with a stack of their own. */
async function moveIn(
  site: Site,
  lane: Namespace,
  laneDevice: string,
  { address, address6, stack }: Attacker,
): Promise<void> {
  await addAddress(site, lane, laneDevice, address);
  await addAddress(site, lane, laneDevice, address6);
  const metrics = `hoplimit ${stack.hopLimit} advmss ${stack.segment}${stack.window > 0 ? ` window ${stack.window}` : ''}${stack.initialSegments > 0 ? ` initcwnd ${stack.initialSegments}` : ''}`;
  await lane.ip([
    `route replace default via 169.254.0.1 src ${address} ${metrics}`,
    `-6 route replace default via fe80::1 dev eth0 src ${address6} hoplimit ${stack.hopLimit} advmss ${stack.segment - 20}`,
  ]);
}

/** End a process and all that it started: it is the head of its group. */
async function end(head: number | undefined): Promise<void> {
  if (head === undefined) return;
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    try {
      process.kill(-head, signal);
    } catch {
      return; // nobody is left
    }
    await pause(500);
  }
}
