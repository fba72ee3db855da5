/** Honest life on a site: one small process for each half of the LAN and one for everybody outside. */
import type { ChildProcess } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Namespace, stop } from './namespace.ts';
import type { LifePlan } from './programs/conversation.ts';
import type { Site } from './site.ts';

const program = fileURLToPath(new URL('./programs/life.ts', import.meta.url));
/** Small heaps: dozens of sites live side by side. */
const frugal = ['--no-warnings', '--max-semi-space-size=2', '--max-old-space-size=160'];

export const lifeCommand = (planFile: string): string[] => [process.execPath, ...frugal, program, planFile];

export class SiteLife implements AsyncDisposable {
  readonly #children: readonly ChildProcess[];

  private constructor(children: readonly ChildProcess[]) {
    this.#children = children;
  }

  /** `log` hears what goes wrong inside. */
  static async start(site: Site, log: (line: string) => void): Promise<SiteLife> {
    const { conversations, servings, storms } = site.plan;
    const hosts: readonly (readonly [Namespace, 'wired' | 'wireless' | 'outside'])[] = [
      [site.outside, 'outside'],
      [site.wired, 'wired'],
      [site.wireless, 'wireless'],
    ];
    const children: ChildProcess[] = [];
    for (const [namespace, part] of hosts) {
      const plan: LifePlan = {
        servers: servings[part],
        conversations: conversations[part],
        storms: part === 'outside' ? storms : [],
        certificate: '{folder}/certificate.pem',
        key: '{folder}/key.pem',
      };
      const file = join(site.folder, `life-${part}`);
      await writeFile(file, JSON.stringify(plan).replaceAll('{folder}', site.folder));
      const child = namespace.spawn(lifeCommand(file), { stdio: ['ignore', 'ignore', 'pipe'], cwd: site.folder });
      child.stderr?.on('data', (bytes: Buffer) =>
        log(`${site.plan.name} ${part}: ${bytes.toString().trim().slice(0, 500)}`),
      );
      child.once('exit', (code) => {
        if (code !== null && code !== 0) log(`${site.plan.name} ${part}: life ended with code ${code}`);
      });
      children.push(child);
    }
    return new SiteLife(children);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#children.map((child) => stop(child)));
  }
}
