/** What can be captured, for people and for programs. */
import { families } from './attacks/families.ts';
import { planEpisodes } from './attacks/plan-episodes.ts';
import { planSite } from './plan/plan-site.ts';

interface Listed {
  readonly name: string;
  readonly kind: 'capture';
  readonly description: string;
  /** Tools by part; those of validation and test are not in training unless named there too. */
  readonly tools: Readonly<Record<string, readonly string[]>>;
}

export function listRange(asJson: boolean): string {
  const listed: Listed[] = [
    { name: 'life', kind: 'capture', description: 'honest life alone, of many sites side by side', tools: {} },
    ...families.map(({ name, description }) => ({ name, kind: 'capture' as const, description, tools: toolsOf(name) })),
  ];
  if (asJson) return JSON.stringify(listed, null, 1);
  const lines = listed.flatMap(({ name, description, tools }) => [
    `${name}: ${description}`,
    ...Object.entries(tools).map(([part, names]) => `  ${part}: ${names.join(', ')}`),
  ]);
  return [...lines, 'sites: train-NN, validation-NN, test-NN: any number, each another site'].join('\n');
}

/** As seen on the first sites of each part: sites differ in what they can be attacked with. */
function toolsOf(family: string): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  for (const part of ['train', 'validation', 'test'] as const) {
    const tools = new Set<string>();
    for (let number = 0; number < 6; number++) {
      for (const { plan } of planEpisodes(planSite(part, number), 1, 12, family)) tools.add(plan.tool);
    }
    found[part] = [...tools].sort();
  }
  return found;
}
