/** How urgent an attack score is for a person. The steps are those of the first product. */
import { Severity, type Alert } from '../contract/alert.ts';

/** `score` is P(attack), 0 to 1. */
export function severityOf(score: number): Severity {
  if (score >= 0.9) return 'critical';
  if (score >= 0.7) return 'high';
  if (score >= 0.5) return 'medium';
  return 'low';
}

/**
 * Is a new alert as sure as this threshold asks for? What is plain from its flows is, whatever score the network gave
 * them. An older agent does not say so, but calls it graver than that score would make it.
 */
export function reachesThreshold(
  { score, severity, is_plain: isPlain }: Pick<Alert, 'score' | 'severity' | 'is_plain'>,
  threshold: number,
): boolean {
  const steps = Severity.options;
  return score >= threshold || isPlain || steps.indexOf(severity) > steps.indexOf(severityOf(score));
}
