/** What `picket-agent fail-open` says of what it did, and of what it could not do. */
import type { Decision } from '@picket/shared/contract/decision';
import { AgentError } from '../errors.ts';
import type { HeldOpenMark } from '../enforcement/held-open.ts';

/** What came of asking the running agent. */
export type AgentAnswer = 'did it' | 'not running' | 'no answer';

export interface HeldBefore {
  readonly id: string;
  readonly decision: Decision | undefined;
}

const maxNamed = 50;

export function describeUndone(
  tables: readonly string[],
  held: readonly HeldBefore[],
  before: HeldOpenMark | undefined,
): readonly string[] {
  if (tables.length === 0) {
    const since = before === undefined ? '' : `: held open since ${describeSince(before)}`;
    return [`nothing of ours was in the kernel${since}`];
  }
  return [
    `undone: ${tables.join(' and ')} removed, with ${held.length} decision${held.length === 1 ? '' : 's'}`,
    ...held
      .slice(0, maxNamed)
      .map(({ id, decision }) =>
        decision === undefined
          ? `  ${id}`
          : `  ${id}  ${decision.mode} ${decision.action} ${decision.scope}:${decision.value} (${decision.origin}: ${decision.reason})`,
      ),
    ...(held.length > maxNamed ? [`  … and ${held.length - maxNamed} more`] : []),
  ];
}

export function describeSince({ since_ms }: HeldOpenMark): string {
  return since_ms === 0 ? 'an unknown time' : new Date(since_ms).toISOString();
}

export function describeAgent(state: AgentAnswer): string {
  return {
    'did it': 'the running agent knows: it goes on detecting and restricts nothing',
    'not running': 'no agent is running; the next one to start restricts nothing either',
    'no answer': 'the agent did not answer: done without it; when it goes on it reads the same mark',
  }[state];
}

export function putBack(stateDirectory: string): AgentError {
  return new AgentError(
    'unavailable',
    `everything was removed, and an agent put it back that does not use ${stateDirectory}: name its state directory with --config FILE or --state-dir DIR, or stop it (systemctl stop picket-agent) and repeat`,
  );
}

export function notMarked(error: Error): AgentError {
  return new AgentError(
    'cannot-create',
    `everything is out of the kernel, but a restart will restrict again: ${error.message}; stop the agent, or free the disk and repeat`,
  );
}

export function notUndone(left: unknown, dropped: unknown): AgentError {
  const reason =
    dropped instanceof Error ? dropped.message : left instanceof Error ? left.message : 'tables are still there';
  return new AgentError(
    'unavailable',
    `not everything is out of the kernel: ${reason}; use sudo, or \`nft delete table inet picket\``,
  );
}
