/**
 * Turns the process that a person or systemd started into the small one that keeps the rights (`main.ts` beside this
 * file), which then starts the agent without any. The process id stays: stopping it stops both.
 */
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { Separation } from './rights.ts';

export const channelDescriptor = 3;

/** What the small process is told on its command line. */
export const HelperTask = z.strictObject({
  setpriv: z.string(),
  /** setpriv's arguments that leave no right. */
  none: z.array(z.string()),
  /** Node's arguments and the agent's. */
  agent: z.array(z.string()),
});
export type HelperTask = z.infer<typeof HelperTask>;

/**
 * It holds no traffic and no history: this is plenty for 20,000 decisions. Ten thousand at once fit below the first bound,
 * so that what lives is not gone through again and again while they come.
 */
export const helperHeap = ['--max-semi-space-size=2', '--initial-old-space-size=48', '--max-old-space-size=192'];

/** Does not return. */
export function becomeHelper({ setpriv, narrow, none }: Extract<Separation, { readonly isPossible: true }>): never {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const helper = fileURLToPath(new URL(`./main.${extension}`, import.meta.url));
  const task: HelperTask = { setpriv, none: [...none], agent: [...process.execArgv, ...process.argv.slice(1)] };
  const command = [process.execPath, ...process.execArgv, ...helperHeap, helper, JSON.stringify(task)];
  process.execve!(setpriv, [setpriv, ...narrow, '--', ...command], process.env);
  throw new Error('the process could not be replaced');
}
