/** The ten reasons of an alert and the flows that carried it, as lines of a terminal. */
import type { Explanation, FeatureImportance } from '@picket/shared/contract/prediction';
import { valueInWords, wordsOf } from '@picket/shared/features/feature-words';

const maxFlows = 3;

/** Without line ends; columns stand under each other. */
export function reasonLines({ top_features, flows, normal_of }: Explanation): readonly string[] {
  const rows = [...Map.groupBy(top_features.map(told), ({ text }) => text.join('\n')).values()]
    .map((same) => ({ share: same.reduce((sum, { share }) => sum + share, 0), text: same[0]!.text }))
    .sort((a, b) => Math.abs(b.share) - Math.abs(a.share))
    .map(({ share, text }) => [percent(share), ...text]);
  const widths = [0, 1, 2].map((column) => Math.max(0, ...rows.map((row) => row[column]!.length)));
  const of = normal_of === 'device' ? 'the device’s own normal' : 'what is normal elsewhere';
  return [
    `reasons, by their share of what moved the score (minus: against an attack), against ${of}:`,
    ...rows.map(([share, words, value, normal]) =>
      `  ${share!.padStart(widths[0]!)}  ${words!.padEnd(widths[1]!)}  ${value!.padEnd(widths[2]!)}  ${normal}`.trimEnd(),
    ),
    'flows that carried it:',
    ...flows.slice(0, maxFlows).map(({ key, share }) => `  ${percent(share)}  ${key}`),
    ...(flows.length > maxFlows ? [`  and ${flows.length - maxFlows} more`] : []),
  ];
}

interface Told {
  readonly share: number;
  /** What, how much, and against what. */
  readonly text: readonly [string, string, string];
}

/** Columns that say the same of a flow are one reason: they are told in the same words. */
function told(reason: FeatureImportance): Told {
  const { importance, feature, value, unit } = reason;
  return { share: importance, text: [wordsOf(feature), valueInWords(value, unit), against(reason)] };
}

function against({ normal, direction, unit }: FeatureImportance): string {
  if (normal === null || direction === 'unknown') return '';
  return direction === 'usual' ? `usual (${valueInWords(normal, unit)})` : `${direction} ${valueInWords(normal, unit)}`;
}

/** `+28 %`, `-4 %`: shares are signed. */
function percent(share: number): string {
  const rounded = Math.round(100 * share);
  return `${rounded < 0 || share < 0 ? '-' : '+'}${Math.abs(rounded)} %`;
}
