/** What can be captured, and which scenarios of prevention there are, for people and for programs. */
import { families } from './attacks/families.ts';
import { planEpisodes } from './attacks/plan-episodes.ts';
import { planSite } from './plan/plan-site.ts';
import type { NamedScenario } from './prevention/scenario.ts';

interface ListedCapture {
  readonly name: string;
  readonly kind: 'capture';
  readonly description: string;
  /** Tools by part; those of validation and test are not in training unless named there too. */
  readonly tools: Readonly<Record<string, readonly string[]>>;
}

export function listRange(scenarios: readonly NamedScenario[], asJson: boolean): string {
  const captures: ListedCapture[] = [
    { name: 'life', kind: 'capture', description: 'honest life alone, of many sites side by side', tools: {} },
    ...families.map(({ name, description }) => ({ name, kind: 'capture' as const, description, tools: toolsOf(name) })),
  ];
  if (asJson) {
    const live = scenarios.map(({ name, group, expectation, attack = null }) => ({
      name,
      kind: 'prevention',
      group,
      expectation,
      attack,
    }));
    return JSON.stringify([...captures, ...live], null, 1);
  }
  const lines = captures.flatMap(({ name, description, tools }) => [
    `${name}: ${description}`,
    ...Object.entries(tools).map(([part, names]) => `  ${part}: ${names.join(', ')}`),
  ]);
  return [
    'Captures:',
    ...lines,
    'sites: train-NN, validation-NN, test-NN: any number, each another site',
    '',
    'Live scenarios of prevention:',
    ...scenarios.map(({ name, group, expectation }) => `${name} [${group}]: ${expectation}`),
  ].join('\n');
}

/** As seen on some sites of the newest edition of each part: sites differ in what they can be attacked with. */
function toolsOf(family: string): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  for (const part of ['train', 'validation', 'test'] as const) {
    const tools = new Set<string>();
    for (let number = 30; number < 36; number++) {
      for (const { plan } of planEpisodes(planSite(part, number), 1, 12, family)) tools.add(plan.tool);
    }
    found[part] = [...tools].sort();
  }
  return found;
}
