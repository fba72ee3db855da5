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
 * them: its agent calls it graver than that score would make it.
 */
export function reachesThreshold({ score, severity }: Pick<Alert, 'score' | 'severity'>, threshold: number): boolean {
  const steps = Severity.options;
  return score >= threshold || steps.indexOf(severity) > steps.indexOf(severityOf(score));
}
