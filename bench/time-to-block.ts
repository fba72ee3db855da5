/**
 * Time from an attack's first packet at the gateway to its restriction in the kernel, for each class of attack: real
 * tools, network namespaces, the agent with its shipped bundle and built-in rules. Needs root and the tools of the
 * scenarios. JSON on stdout. Arguments: runs of each (5), then names of scenarios (default: all that are timed).
 */
import { loadavg } from 'node:os';
import { loadAllScenarios } from '../models/range/prevention/load-scenarios.ts';
import { describeResult, runScenarios } from '../models/range/prevention/run-scenarios.ts';
import type { ScenarioResult } from '../models/range/prevention/scenario.ts';

const [runs = '5', ...names] = process.argv.slice(2);
const interrupted = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interrupted.abort(new Error(name)));

const timed = (await loadAllScenarios()).filter(
  ({ attack, name }) => attack !== undefined && (names.length === 0 || names.includes(name)),
);
const loads: number[] = [];
const results = await runScenarios(timed, {
  repeat: Number(runs),
  jobs: 1,
  signal: interrupted.signal,
  onResult: (result) => {
    loads.push(loadavg()[0] ?? Number.NaN);
    console.error(describeResult(result));
  },
});

/** Nearest rank: with few runs p95 is the worst of them. */
function percentile(sorted: readonly number[], share: number): number | null {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? null;
}

function figuresOf(runsOfOne: readonly ScenarioResult[]): object {
  const times = runsOfOne.map((result) => result.attack_to_drop_ms);
  const known = times.filter((time) => time !== null).toSorted((a, b) => a - b);
  const sum = (pick: (result: ScenarioResult) => number): number => runsOfOne.reduce((all, one) => all + pick(one), 0);
  return {
    runs: times.length,
    missed: times.length - known.length,
    p50_ms: percentile(known, 0.5),
    p95_ms: percentile(known, 0.95),
    worst_ms: known.at(-1) ?? null,
    milliseconds: times,
    honest_connections: sum(({ collateral }) => collateral?.connections ?? 0),
    honest_lost: sum(({ collateral }) => (collateral?.lost ?? 0) + (collateral?.kept_cut ?? 0)),
  };
}

const byName = Map.groupBy(results, ({ name }) => name);
const figures = timed.map(({ name, attack }) => ({ name, class: attack, ...figuresOf(byName.get(name) ?? []) }));
console.log(JSON.stringify({ figures, load: { least: Math.min(...loads), most: Math.max(...loads) } }, null, 2));
