/** Many scenarios, some side by side, each in namespaces of its own; what came out, for people and for programs. */
import { runScenario } from './run-scenario.ts';
import type { NamedScenario } from './scenario.ts';
import type { ScenarioResult } from './scenario-result.ts';

export interface RunOptions {
  /** How often each is run. */
  readonly repeat: number;
  /** How many run at the same time. */
  readonly jobs: number;
  /** How many of those that fail may be run once more, one by one when all others have ended; the second run counts. */
  readonly again: number;
  readonly signal: AbortSignal;
  /** As each one ends for good. */
  readonly onResult: (result: ScenarioResult) => void;
  /** As one ends that is run again: what was wrong must not be lost. */
  readonly onSetback?: (result: ScenarioResult) => void;
}

/** In the order in which they ended. What had not begun when the signal aborts is left out. */
export async function runScenarios(
  scenarios: readonly NamedScenario[],
  { repeat, jobs, again, signal, onResult, onSetback }: RunOptions,
): Promise<readonly ScenarioResult[]> {
  const waiting = Array.from({ length: repeat }, () => scenarios).flat();
  const setBack: NamedScenario[] = [];
  const results: ScenarioResult[] = [];
  const end = (result: ScenarioResult): void => {
    results.push(result);
    onResult(result);
  };
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined && !signal.aborted; next = waiting.shift()) {
      const result = await runScenario(next, signal);
      if (result.passed || setBack.length >= again) {
        end(result);
        continue;
      }
      setBack.push(next);
      onSetback?.(result);
    }
  };
  await Promise.all(Array.from({ length: jobs }, worker));
  for (const next of setBack) end(await runScenario(next, signal));
  return results;
}

/** Those with these names, or of these groups; `all` is every one. Throws with what there is where a word is neither. */
export function chooseScenarios(all: readonly NamedScenario[], words: readonly string[]): readonly NamedScenario[] {
  const wanted = words.map((word) => word.replaceAll('-', ' '));
  for (const [index, word] of words.entries()) {
    const isKnown = word === 'all' || all.some(({ name, group }) => name === word || asWord(group) === wanted[index]);
    if (!isKnown) throw new Error(`there is no scenario "${word}"; \`range list\` names them`);
  }
  return all.filter(
    ({ name, group, awaits }) =>
      words.includes(name) || (awaits === undefined && (words.includes('all') || wanted.includes(asWord(group)))),
  );
}

const asWord = (group: string): string => group.replaceAll('-', ' ');

/** A few lines: the verdict, what was not met, what was lost. */
export function describeResult(result: ScenarioResult): string {
  const { name, passed, seconds, attack_to_drop_ms: toDropMs, collateral, expectations, error } = result;
  const time = toDropMs === null ? '' : `, first packet → drop ${toDropMs} ms`;
  const honest = collateral === null ? '' : `, honest client lost ${collateral.lost} of ${collateral.connections}`;
  const lines = [`${passed ? 'ok    ' : 'FAILED'} ${name} (${seconds} s${time}${honest})`];
  for (const { what, met, evidence } of expectations) if (!met) lines.push(`       not so: ${what}: ${evidence}`);
  if (collateral !== null && collateral.kept_cut > 0) lines.push('       the honest client’s kept connection was cut');
  for (const reason of collateral?.reasons ?? []) lines.push(`       honest client: ${reason}`);
  if (error !== null) lines.push(`       ${error.replaceAll('\n', '\n       ')}`);
  return lines.join('\n');
}
