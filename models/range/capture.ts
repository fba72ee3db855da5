/** One capture: a site comes up, lives, is attacked step by step, and what crossed the gateway's LAN side is kept. */
import { once } from 'node:events';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { AttackFamily, AttackStep, Scene, Settings } from './attacks/attack-step.ts';
import { live } from './benign/life.ts';
import type { CaptureLabels, LabelRule } from './labels.ts';
import { type Namespace, stop } from './namespace.ts';
import { Random } from './random.ts';
import { Site } from './site.ts';
import { sitePlanOf } from './site-plan.ts';

export interface CaptureOrder {
  readonly family: AttackFamily;
  readonly settings: Settings;
  readonly site: string;
  readonly seed: number;
  /** Honest life before the first attack. */
  readonly leadSeconds: number;
  /** Mean pause between attacks. */
  readonly pauseSeconds: number;
  readonly folder: string;
  readonly name: string;
}

/** Bytes kept of each packet: headers, and the beginning of what was said. */
const snapLength = 192;

/** Leftovers of a connection may still be on their way when its tool is gone. */
const lingerUs = 3_000_000;

const nowUs = (): number => Date.now() * 1000; // the clock tcpdump stamps packets with

/** Make `NAME.pcap` and `NAME.labels.json`. Needs root. */
export async function capture(order: CaptureOrder, log: (line: string) => void, signal: AbortSignal): Promise<void> {
  const random = new Random(order.seed);
  await mkdir(order.folder, { recursive: true });
  await using resources = new AsyncDisposableStack();
  const site = resources.use(await Site.open(sitePlanOf(order.site), random));
  const file = resolve(order.folder, `${order.name}.pcap`);
  const recording = await record(site.gateway, `${file}.part`, site.folder);
  resources.adopt(recording, (recording) => stop(recording, 'SIGINT', 10_000));
  const fromUs = nowUs();

  const lifetime = new AbortController();
  const life = live(site, random.fork(), lifetime.signal);
  const ended = life.catch((error: unknown) => log(`${order.name}: honest life ended early: ${String(error)}`));
  resources.defer(async () => {
    lifetime.abort();
    await ended;
  });
  const rules: LabelRule[] = [];
  await pause(order.leadSeconds * 1000, undefined, { signal });
  for (const [index, step] of order.family.steps[order.settings].entries()) {
    const attacker = site.attackers[index % site.attackers.length];
    if (attacker === undefined) throw new Error(`site ${site.plan.name} has no attacker`);
    const folder = join(site.folder, `step${index}`);
    await mkdir(folder);
    rules.push(...(await attack(step, { site, random: random.fork(), attacker, folder }, log)));
    await pause(order.pauseSeconds * 1000 * random.between(0.6, 1.4), undefined, { signal });
  }
  await stop(recording, 'SIGINT', 10_000);
  const labels: CaptureLabels = {
    format: 1,
    name: order.name,
    site: order.site,
    seed: order.seed,
    settings: order.settings,
    lan_prefix: `${site.plan.lan}.0/24`,
    from_us: fromUs,
    to_us: nowUs(),
    rules,
  };
  await writeFile(join(order.folder, `${order.name}.labels.json`), `${JSON.stringify(labels, null, 1)}\n`);
  await rename(`${file}.part`, file);
}

/** tcpdump on the bridge, listening when this returns. */
async function record(gateway: Namespace, file: string, folder: string): Promise<ReturnType<Namespace['spawn']>> {
  const argv = ['tcpdump', '-i', 'lan0', '-n', '-U', '-Z', 'root', '-B', '32768', '-s', String(snapLength), '-w', file];
  const recording = gateway.spawn(argv, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  recording.stderr?.on('data', (bytes: Buffer) => (said += bytes.toString()));
  const gone = once(recording, 'exit').then(() => undefined);
  for (const deadline = Date.now() + 10_000; !said.includes('listening on');) {
    await Promise.race([pause(50), gone]);
    if (recording.exitCode !== null || Date.now() > deadline) throw new Error(`tcpdump did not start: ${said.trim()}`);
  }
  return recording;
}

/** Run one step to its end or its time, and say which flows were its. */
async function attack(step: AttackStep, scene: Scene, log: (line: string) => void): Promise<LabelRule[]> {
  const { from, argv, input, truth } = await step.command(scene);
  const output = join(scene.folder, 'output');
  const fromUs = nowUs();
  const child = from.namespace.spawn(['bash', '-c', 'exec "$@" >"$0" 2>&1', output, ...argv], {
    cwd: scene.folder,
    stdio: [input === undefined ? 'ignore' : 'pipe', 'ignore', 'ignore'],
  });
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(input);
  const cut = setTimeout(() => void stop(child), step.seconds * 1000);
  const [status] = await once(child, 'exit');
  clearTimeout(cut);
  const toUs = nowUs();
  const seconds = ((toUs - fromUs) / 1e6).toFixed(1);
  log(`${step.class}: ${step.name}: ${seconds} s, status ${String(status)}`);
  if (Number(seconds) < 1) log(`  ended early: ${(await readFile(output, 'utf8')).trim().slice(-400)}`);
  return truth.map((part) => ({
    class: step.class,
    ...part,
    from_us: fromUs - 1000,
    to_us: toUs + lingerUs,
    step: step.name,
  }));
}
