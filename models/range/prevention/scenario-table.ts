/** The scenarios as a page of the documentation. */
import type { NamedScenario } from './scenario.ts';
import { groups } from './scenario.ts';

const head = `# Scenarios of prevention

Made from the files in \`models/range/prevention/scenarios/\` by \`npm run -s range -- list --markdown > docs/scenarios.md\`; a test
compares. Each one is run live, with real tools between network namespaces, by \`npm run -s range -- run NAME\` and in CI. In every one an
honest client opens a new connection each second and keeps another one all the time: a scenario in which it loses one has failed.
`;

export function scenarioTable(scenarios: readonly NamedScenario[]): string {
  const sections = groups.map((group) => {
    const own = scenarios.filter((scenario) => scenario.group === group);
    const rows = own.map(({ name, expectation }) => `- **${name}**: ${expectation}`);
    return `## ${group[0]?.toUpperCase()}${group.slice(1)} (${own.length})\n\n${rows.join('\n')}\n`;
  });
  return [head, ...sections].join('\n');
}
