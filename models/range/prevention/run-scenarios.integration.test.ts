import { expect, test } from 'vitest';
import { requireSystem } from '../../../.ci/require-system.ts';
import { runScenarios } from './run-scenarios.ts';
import type { NamedScenario } from './scenario.ts';
import type { ScenarioResult } from './scenario-result.ts';

const canRun = requireSystem('root', 'ip', 'nft', 'nginx', 'curl');

/** Each answer in its turn: whether all is as it must be. */
function scenarioThat(name: string, answers: boolean[]): NamedScenario {
  return {
    name,
    group: 'modes',
    expectation: 'Nothing is asked of the network that is laid out.',
    run: async (field) => {
      field.expect('it is so', answers.shift() === true);
    },
  };
}

test.skipIf(!canRun)(
  'who fails in company is run again alone, as often as is allowed and no more',
  async () => {
    const setBack: string[] = [];
    const ended: ScenarioResult[] = [];
    const steady = scenarioThat('steady', [true, false]);
    const unlucky = scenarioThat('unlucky', [false, true]);
    const broken = scenarioThat('broken', [false, false]);
    const late = scenarioThat('late', [false, true]);
    await runScenarios([steady, unlucky, broken, late], {
      repeat: 1,
      jobs: 1,
      again: 2,
      signal: new AbortController().signal,
      onResult: (result) => ended.push(result),
      onSetback: ({ name, passed }) => setBack.push(`${name} ${String(passed)}`),
    });
    expect(setBack).toEqual(['unlucky false', 'broken false']);
    expect(ended.map(({ name, passed }) => `${name} ${String(passed)}`)).toEqual([
      'steady true',
      'late false',
      'unlucky true',
      'broken false',
    ]);
  },
  900_000,
);
