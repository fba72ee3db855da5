/** Figures over single windows: per source and class, and whether scores mean what they say. */
import { trafficClasses } from '@picket/shared/features/traffic-classes';
import { assumedAttackShare, classFigures, macroF1, precisionRecallArea } from '../metrics.ts';
import { resampled } from './resampled.ts';
import { classCount } from '../network/network-parameters.ts';
import type { Figures, SourceFigures } from './evaluation.ts';
import type { JudgedWindow } from './scored-sequences.ts';

const fewestWindows = 50;
const bins = 10;
/** Share of benign windows that published figures are told for. */
const mostlyBenign = 0.75;

export function sourceFigures(
  source: string,
  part: SourceFigures['part'],
  windows: readonly JudgedWindow[],
  threshold: number,
): SourceFigures {
  const labels = windows.map(({ label }) => label);
  const scores = windows.map(({ score }) => score);
  const figures = classFigures(
    labels,
    windows.map(({ predicted }) => predicted),
    classCount,
  );
  const benign = windows.filter(({ label }) => label === 0);
  const isAttack = (index: number): boolean => labels[index] !== 0;
  const intervals = resampled(windows, threshold, mostlyBenign);
  return {
    source,
    part,
    windows: windows.length,
    benign_windows: benign.length,
    false_alarm_share: alarmShare(benign, threshold),
    ...(intervals.falseAlarms && { false_alarm_interval: intervals.falseAlarms }),
    macro_f1: macroF1(figures, fewestWindows),
    pr_auc: precisionRecallArea(scores, isAttack),
    pr_auc_mostly_benign: precisionRecallArea(scores, isAttack, mostlyBenign),
    ...(intervals.area && { pr_auc_interval: intervals.area }),
    classes: figures.flatMap(({ support, recall, precision }, index) => {
      if (support === 0 || index === 0) return [];
      const detected = alarmShare(
        windows.filter(({ label }) => label === index),
        threshold,
      );
      return [{ class: trafficClasses[index]!, windows: support, detected, recall, precision }];
    }),
    benign_groups: [...Map.groupBy(benign, ({ sequence }) => sequence.group)].map(([group, members]) => ({
      group,
      windows: members.length,
      false_alarm_share: alarmShare(members, threshold),
    })),
  };
}

/** As if `assumedAttackShare` of the windows were attacks, however many there are, so that a talkative device does not decide. */
export function reliability(windows: readonly JudgedWindow[]): Pick<Figures, 'reliability' | 'calibration_error'> {
  const attacks = windows.filter(({ label }) => label !== 0).length;
  const weightOf = ({ label }: JudgedWindow): number =>
    label === 0
      ? (1 - assumedAttackShare) / Math.max(1, windows.length - attacks)
      : assumedAttackShare / Math.max(1, attacks);
  const rows = Array.from({ length: bins }, (_, bin) => {
    const members = windows.filter(({ score }) => Math.min(bins - 1, Math.floor(score * bins)) === bin);
    const weight = members.reduce((sum, window) => sum + weightOf(window), 0);
    const mean = (value: (window: JudgedWindow) => number): number =>
      weight === 0
        ? 0
        : Math.min(1, members.reduce((sum, window) => sum + weightOf(window) * value(window), 0) / weight);
    return {
      from: bin / bins,
      windows: members.length,
      mean_score: mean(({ score }) => score),
      attack_share: mean(({ label }) => (label === 0 ? 0 : 1)),
      weight,
    };
  });
  return {
    reliability: rows.map(({ weight: _weight, ...row }) => row),
    calibration_error: Math.min(
      1,
      rows.reduce((sum, row) => sum + row.weight * Math.abs(row.mean_score - row.attack_share), 0),
    ),
  };
}

export function alarmShare(windows: readonly JudgedWindow[], threshold: number): number {
  if (windows.length === 0) return 0;
  return windows.filter(({ score }) => score >= threshold).length / windows.length;
}
