/** Honest life on a site, for as long as a capture lasts: every client on its own, with its own chance. */
import { type ChildProcess, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { type Namespace, stop } from '../namespace.ts';
import type { Random } from '../random.ts';
import type { Site } from '../site.ts';
import { deviceClients } from './devices.ts';
import { peopleClients } from './people.ts';

export interface Life {
  readonly site: Site;
  readonly random: Random;
  readonly signal: AbortSignal;
  /** Pause for about this long: exponential around the mean, times the site's pace. Throws when life ends. */
  rest(meanSeconds: number): Promise<void>;
  /** Run a client to its end, or to the end of life. */
  act(from: Namespace, argv: readonly string[], options?: SpawnOptions): Promise<void>;
  /** Start a client that goes on until life ends. */
  keep(from: Namespace, argv: readonly string[], options?: SpawnOptions): ChildProcess;
}

/** One client: loops until `rest` throws. */
export type Client = (life: Life) => Promise<void>;

/** Live until the signal. Resolves when every client has ended. */
export async function live(site: Site, random: Random, signal: AbortSignal): Promise<void> {
  const children = new Set<ChildProcess>();
  const clients = [...deviceClients(site), ...peopleClients(site)];
  const lives = clients.map(async (client) => {
    const own = random.fork();
    const life: Life = {
      site,
      random: own,
      signal,
      rest: async (meanSeconds) => {
        const seconds = Math.max(own.exponential(meanSeconds * site.plan.pace), 0.1);
        await pause(seconds * 1000, undefined, { signal });
      },
      act: async (from, argv, options) => {
        const child = life.keep(from, argv, options);
        await once(child, 'exit');
      },
      keep: (from, argv, options) => {
        const child = from.spawn(argv, options);
        children.add(child);
        child.once('exit', () => children.delete(child));
        return child;
      },
    };
    await client(life).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  });
  const ending = once(signal, 'abort').then(() => Promise.all([...children].map((child) => stop(child))));
  await Promise.all([...lives, ending]);
}
