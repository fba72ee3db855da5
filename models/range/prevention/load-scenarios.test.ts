import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { listRange } from '../list-range.ts';
import { loadScenarios } from './load-scenarios.ts';
import { chooseScenarios } from './run-scenarios.ts';
import { scenarioTable } from './scenario-table.ts';
import { groups } from './scenario.ts';

const scenarios = await loadScenarios();

test('every scenario says in a sentence what must be so, and every group has one', () => {
  for (const { name, expectation } of scenarios) expect(`${name}: ${expectation}`).toMatch(/: .{30,}\.$/);
  expect(new Set(scenarios.map(({ group }) => group))).toEqual(new Set(groups));
});

test('the list is one JSON array of captures and of live scenarios', { timeout: 400_000 }, () => {
  const listed = JSON.parse(listRange(scenarios, true)) as { name: string; kind: string }[];
  const live = listed.filter(({ kind }) => kind === 'prevention');
  expect(live.map(({ name }) => name)).toEqual(scenarios.map(({ name }) => name));
  expect(listed.filter(({ kind }) => kind === 'capture').length).toBe(listed.length - live.length);
});

test('scenarios are chosen by name, by group, or all, and each only once', () => {
  const named = (...words: string[]): string[] => chooseScenarios(scenarios, words).map(({ name }) => name);
  expect(named('reboot')).toEqual(['reboot']);
  expect(named('life-cycle', 'reboot')).toEqual(
    scenarios.filter(({ group }) => group === 'life cycle').map(({ name }) => name),
  );
  expect(named('all')).toHaveLength(scenarios.length);
  expect(() => named('reboots')).toThrow('there is no scenario "reboots"');
});

test('docs/scenarios.md is what the files say: `npm run -s range -- list --markdown > docs/scenarios.md`', async () => {
  const page = await readFile(new URL('../../../docs/scenarios.md', import.meta.url), 'utf8');
  expect(page).toBe(scenarioTable(scenarios));
});
