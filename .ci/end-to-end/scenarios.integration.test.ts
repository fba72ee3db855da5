/** Every live scenario of prevention, several at a time, as `npm run -s range -- run all` runs them. */
import { availableParallelism } from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadScenarios } from '../../models/range/prevention/load-scenarios.ts';
import { describeResult, runScenarios } from '../../models/range/prevention/run-scenarios.ts';
import type { ScenarioResult } from '../../models/range/prevention/scenario-result.ts';
import { requireSystem } from '../require-system.ts';

const scenarios = await loadScenarios();
const needs = new Set(['root', 'ip', 'nft', 'conntrack', 'tcpdump', 'nginx', 'curl', 'ping']);
for (const scenario of scenarios) for (const need of scenario.needs ?? []) needs.add(need);
const canRun = requireSystem(...needs);
/** They wait more than they compute. */
const jobs = availableParallelism() * 3;
/** One may miss its deadline for the company it ran in; more than a few are a defect, and so is what fails alone as well. */
const again = 3;

describe.skipIf(!canRun)('prevention, live', () => {
  const stop = new AbortController();
  const results = new Map<string, Promise<ScenarioResult>>();
  let all: Promise<unknown>;

  beforeAll(() => {
    const resolvers = new Map(
      scenarios.map(({ name }) => {
        const { promise, resolve } = Promise.withResolvers<ScenarioResult>();
        results.set(name, promise);
        return [name, resolve];
      }),
    );
    all = runScenarios(scenarios, {
      repeat: 1,
      jobs,
      again,
      signal: stop.signal,
      onResult: (result) => resolvers.get(result.name)?.(result),
      onSetback: (result) => console.warn(`run again, alone:\n${describeResult(result)}\n${result.agents}`),
    });
  });
  afterAll(async () => {
    stop.abort(new Error('the tests are over'));
    await all;
  });

  test.each(scenarios)('$group: $name', { timeout: 3_600_000 }, async ({ name }) => {
    const result = await results.get(name);
    if (result === undefined) throw new Error(`${name} was not run`);
    expect(result.passed, `${describeResult(result)}\n${result.agents}`).toBe(true);
  });
});
