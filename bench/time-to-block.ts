/**
 * Time from an attack's first packet at the gateway to its restriction in the kernel, for each class of attack: real
 * tools, network namespaces, the agent with its shipped bundle and built-in rules. Needs root and the tools of the
 * scenarios. JSON on stdout, each run on stderr. Arguments: runs of each (5), then classes of attack or names of
 * scenarios (default: all that are timed). `--into FILE`: each run is kept there, and those that are there already are
 * not made again, so that it can be interrupted and gone on with.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { loadAllScenarios } from '../models/range/prevention/load-scenarios.ts';
import { describeResult, runScenarios } from '../models/range/prevention/run-scenarios.ts';
import type { NamedScenario } from '../models/range/prevention/scenario.ts';
import type { ScenarioResult } from '../models/range/prevention/scenario-result.ts';

/** What is kept of a run. */
interface Run {
  readonly name: string;
  readonly attack_to_drop_ms: number | null;
  readonly fifth_failed_login_to_drop_ms: number | null;
  readonly connections: number;
  readonly lost: number;
  readonly load: number;
  /** Why there was no attack: the machine had no time for it, say. */
  readonly error?: string | null;
}

const { values, positionals } = parseArgs({ options: { into: { type: 'string' } }, allowPositionals: true });
const [asked = '5', ...words] = positionals;
const wanted = Number(asked);
if (!Number.isSafeInteger(wanted) || wanted < 1) throw new Error(`"${asked}" is no number of runs`);
const interrupted = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interrupted.abort(new Error(name)));

const timed = (await loadAllScenarios()).filter(
  ({ attack, name }) => attack !== undefined && (words.length === 0 || words.includes(name) || words.includes(attack)),
);
for (const word of words) {
  if (!timed.some(({ attack, name }) => name === word || attack === word))
    throw new Error(`nothing timed is "${word}"`);
}
const runs: Run[] = readKept();
const isCarriedOut = (run: Run): boolean => run.attack_to_drop_ms !== null || (run.error ?? null) === null;
const runsOf = ({ name }: NamedScenario): readonly Run[] =>
  runs.filter((run) => run.name === name && isCarriedOut(run));

for (let round = 1; round <= wanted && !interrupted.signal.aborted; round += 1) {
  const due = timed.filter((scenario) => runsOf(scenario).length < round);
  await runScenarios(due, { repeat: 1, jobs: 1, again: 0, signal: interrupted.signal, onResult: keep });
}
const figures = timed.map((scenario) => ({
  name: scenario.name,
  class: scenario.attack,
  not_carried_out: runs.filter((run) => run.name === scenario.name && !isCarriedOut(run)).length,
  ...figuresOf(runsOf(scenario).slice(0, wanted)),
}));
const classes = Object.fromEntries(
  [...Map.groupBy(timed, ({ attack }) => attack ?? '')].map(([attack, some]) => [
    attack,
    figuresOf(some.flatMap((scenario) => runsOf(scenario).slice(0, wanted))),
  ]),
);
console.log(JSON.stringify({ classes, figures }, null, 2));

function readKept(): Run[] {
  if (values.into === undefined || !existsSync(values.into)) return [];
  const lines = readFileSync(values.into, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Run);
}

function keep(result: ScenarioResult): void {
  console.error(describeResult(result));
  if (interrupted.signal.aborted) return; // it was cut short
  const { name, attack_to_drop_ms, fifth_failed_login_to_drop_ms, collateral } = result;
  const run: Run = {
    name,
    attack_to_drop_ms,
    fifth_failed_login_to_drop_ms,
    connections: collateral?.connections ?? 0,
    lost: (collateral?.lost ?? 0) + (collateral?.kept_cut ?? 0),
    load: loadavg()[0] ?? Number.NaN,
    error: result.expectations.some(({ what }) => what.endsWith('is restricted in the kernel')) ? null : result.error,
  };
  runs.push(run);
  if (values.into !== undefined) appendFileSync(values.into, `${JSON.stringify(run)}\n`);
}

function figuresOf(some: readonly Run[]): object {
  const sum = (pick: (run: Run) => number): number => some.reduce((all, run) => all + pick(run), 0);
  const loads = some.map(({ load }) => load);
  return {
    runs: some.length,
    missed: some.filter((run) => run.attack_to_drop_ms === null).length,
    first_packet_to_drop: spread(some.map((run) => run.attack_to_drop_ms)),
    // who is cut off before five failed has no such time
    fifth_failed_login_to_drop: spread(some.flatMap((run) => run.fifth_failed_login_to_drop_ms ?? [])),
    honest_connections: sum(({ connections }) => connections),
    honest_lost: sum(({ lost }) => lost),
    load: some.length === 0 ? null : { least: Math.min(...loads), most: Math.max(...loads) },
  };
}

/**
 * Milliseconds; null where nothing was measured. Nearest rank, over all runs: what was missed is later than all others, and
 * a rank among the missed is null.
 */
function spread(times: readonly (number | null)[]): object | null {
  const known = times.filter((time) => time !== null).toSorted((a, b) => a - b);
  if (known.length === 0) return null;
  const at = (share: number): number | null => known[Math.max(0, Math.ceil(times.length * share) - 1)] ?? null;
  return { measured: known.length, best: known[0], p50: at(0.5), p95: at(0.95), worst: known.at(-1), each: times };
}
