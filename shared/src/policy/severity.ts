/** How urgent an attack score is for a person. The steps are those of the first product. */
import type { Severity } from '../contract/alert.ts';

/** `score` is P(attack), 0 to 1. */
export function severityOf(score: number): Severity {
  if (score >= 0.9) return 'critical';
  if (score >= 0.7) return 'high';
  if (score >= 0.5) return 'medium';
  return 'low';
}
