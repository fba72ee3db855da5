/** All scenarios: every file in `scenarios/` is one. */
import { readdir } from 'node:fs/promises';
import type { NamedScenario, Scenario } from './scenario.ts';
import { groups } from './scenario.ts';

const folder = new URL('./scenarios/', import.meta.url);

/** Those that hold, by group, then by name. */
export async function loadScenarios(): Promise<readonly NamedScenario[]> {
  return (await loadAllScenarios()).filter(({ awaits }) => awaits === undefined);
}

/** Also those that wait for something. */
export async function loadAllScenarios(): Promise<readonly NamedScenario[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'));
  const scenarios = await Promise.all(
    files.map(async (file): Promise<NamedScenario> => {
      const { scenario } = (await import(new URL(file, folder).href)) as { readonly scenario?: Scenario };
      if (scenario === undefined) throw new Error(`${file} exports no scenario`);
      return { ...scenario, name: file.replace(/\.ts$/, '') };
    }),
  );
  return scenarios.toSorted((a, b) => groups.indexOf(a.group) - groups.indexOf(b.group) || (a.name < b.name ? -1 : 1));
}
