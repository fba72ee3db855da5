/** Figures of alerts: how many, of which kind, how many are still open. */
import type { AlertStats } from '@picket/shared/contract/stored-alert';
import { instantOfBucket, type Bucket } from '../dashboard/time-buckets.ts';
import type { AlertCountRepository } from './alert-count-repository.ts';
import type { AlertFilter } from './alert-filter.ts';

export class AlertFiguresService {
  readonly #counts: AlertCountRepository;

  constructor(counts: AlertCountRepository) {
    this.#counts = counts;
  }

  /** How many nobody has acknowledged. */
  countUnread(): Promise<number> {
    return this.#counts.count({ acknowledged: false });
  }

  /** How many episodes began since then. */
  countOpened(since: string, gateway?: string): Promise<number> {
    return this.#counts.countOpened(since, gateway);
  }

  /** Counts by severity, those of open alerts only. */
  async openBySeverity(filter: AlertFilter): Promise<Record<string, number>> {
    const total: Record<string, number> = {};
    for (const status of ['active', 'acknowledged', 'investigating'] as const) {
      for (const { key, count } of await this.#counts.countBy('severity', { ...filter, status })) {
        total[key] = (total[key] ?? 0) + count;
      }
    }
    return total;
  }

  async countByClass(filter: AlertFilter): Promise<Record<string, number>> {
    return toRecord(await this.#counts.countBy('class', filter));
  }

  async stats(filter: AlertFilter, bucket: Bucket): Promise<AlertStats> {
    const [total, type, trafficClass, severity, status, timeline] = await Promise.all([
      this.#counts.count(filter),
      this.#counts.countBy('alert_type', filter),
      this.#counts.countBy('class', filter),
      this.#counts.countBy('severity', filter),
      this.#counts.countBy('status', filter),
      this.#counts.countOverTime(bucket.prefix, filter),
    ]);
    return {
      total,
      by_type: toRecord(type),
      by_class: toRecord(trafficClass),
      by_severity: toRecord(severity),
      by_status: toRecord(status),
      timeline: timeline.map(({ key, count }) => ({ at: instantOfBucket(key), count })),
    };
  }
}

function toRecord(counts: readonly { key: string; count: number }[]): Record<string, number> {
  return Object.fromEntries(counts.map(({ key, count }) => [key, count]));
}
