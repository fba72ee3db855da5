/** The few figures that networks, baselines, seeds and ablations are compared by. */
import type { Figures } from './evaluation.ts';

/** Name → value; a figure that was not measured is left out. */
export function summaryOf(figures: Figures): Record<string, number> {
  const summary: Record<string, number> = { threshold: figures.threshold };
  for (const source of figures.sources) {
    const key = `${source.part} ${source.source}`;
    if (source.benign_windows > 0) summary[`${key}: false alarms per window`] = source.false_alarm_share;
    if (source.classes.length === 0) continue;
    summary[`${key}: PR-AUC at 75 % benign`] = source.pr_auc_mostly_benign;
    summary[`${key}: macro-F1`] = source.macro_f1;
    summary[`${key}: recall, mean of classes`] =
      source.classes.reduce((sum, { detected }) => sum + detected, 0) / source.classes.length;
  }
  const parts = Map.groupBy(figures.episodes, ({ part, source }) => `${part} ${source}`);
  for (const [key, members] of parts) {
    const total = members.reduce((sum, { episodes }) => sum + episodes, 0);
    const alerted = members.reduce((sum, member) => sum + member.alerted, 0);
    const named = members.reduce((sum, member) => sum + member.named, 0);
    summary[`${key}: episodes alerted`] = alerted / total;
    if (alerted > 0) summary[`${key}: of those named rightly`] = named / alerted;
    const unseen = members.filter((member) => member.tool_seen_in !== 'train');
    const runs = unseen.reduce((sum, { episodes }) => sum + episodes, 0);
    if (runs > 0) {
      summary[`${key}: episodes of tools that training never had alerted`] =
        unseen.reduce((sum, member) => sum + member.alerted, 0) / runs;
    }
  }
  for (const row of figures.quiet) {
    const where = `per gateway and day, ${row.attacked ? 'between attacks' : 'in peace'}, ${row.view}`;
    summary[`${row.part} ${row.source}: false alerts ${where}`] = row.per_gateway_day;
    if (row.told !== undefined)
      summary[`${row.part} ${row.source}: false alerts that a person is told of ${where}`] = row.told.per_gateway_day;
  }
  const attacks = figures.captures.filter(({ attack, flows }) => attack && flows >= 10);
  const benign = figures.captures.filter(({ attack }) => !attack);
  if (attacks.length > 0) summary['captures of attacks (10 flows or more) alerted'] = alertedShare(attacks);
  if (benign.length > 0) summary['benign captures alerted'] = alertedShare(benign);
  const three = figures.dilution.find(({ attack_flows: flows }) => flows === 3);
  if (three !== undefined && three.windows > 0) summary['recall with 3 attack flows of 10'] = three.recall;
  summary['one benign flow ten times: false alarms'] = figures.monotony.false_alarm_share;
  summary['recall, flows in random order'] = figures.shuffled.recall_shuffled;
  return summary;
}

function alertedShare(captures: readonly { readonly alerted: boolean }[]): number {
  return captures.filter(({ alerted }) => alerted).length / captures.length;
}
