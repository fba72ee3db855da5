/** What an agent finds on its disk when it starts, opened, or refused with what to do. */
import { accessSync, constants, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DecisionStore } from './enforcement/decision-store.ts';
import type { SteadyClock } from './enforcement/steady-clock.ts';
import { AgentError } from './errors.ts';

/** Made where it is missing, for its owner alone. Throws an AgentError. */
export function openStateDirectory(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    accessSync(directory, constants.R_OK | constants.W_OK);
  } catch (error) {
    throw new AgentError(
      'cannot-create',
      `the state directory ${directory} cannot be used: ${(error as Error).message}; change state_dir or its owner`,
      {
        cause: error,
      },
    );
  }
}

/**
 * An agent that began without them would lift in the kernel what holds there: whether to is for a person to say, so this
 * throws an AgentError.
 */
export function openDecisions(stateDir: string, clock: SteadyClock): DecisionStore {
  try {
    return DecisionStore.open({ path: join(stateDir, 'decisions.sqlite'), clock });
  } catch (error) {
    const { message, cause } = error as Error;
    const reason = cause instanceof Error ? ` (${cause.message})` : '';
    throw new AgentError('bad-data', `${message}${reason}; what the kernel holds keeps its time`, { cause: error });
  }
}
