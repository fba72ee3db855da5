/** The dashboard: a few figures that say at a glance how things stand. */
import { Severity } from '@picket/shared/contract/alert';
import type { DashboardStats, TimelineBucket } from '@picket/shared/contract/dashboard';
import type { AlertFiguresService } from '../alerts/alert-figures-service.ts';
import type { TimeSpan } from '../database/keyset.ts';
import type { DecisionService } from '../decisions/decision-service.ts';
import type { DeviceService } from '../devices/device-service.ts';
import { midnight } from '../devices/stored-device.ts';
import type { GatewayDirectory } from '../devices/gateway-directory.ts';
import type { PredictionService } from '../predictions/prediction-service.ts';
import type { DashboardRepository, ScoreFilter } from './dashboard-repository.ts';
import { instantOfBucket, type Bucket } from './time-buckets.ts';

const dayMs = 86_400_000;

export class DashboardService {
  readonly #parts: {
    readonly figures: DashboardRepository;
    readonly alerts: AlertFiguresService;
    readonly devices: DeviceService;
    readonly decisions: DecisionService;
    readonly predictions: PredictionService;
    readonly gateways: GatewayDirectory;
  };
  readonly #now: () => Date;

  constructor(
    parts: {
      figures: DashboardRepository;
      alerts: AlertFiguresService;
      devices: DeviceService;
      decisions: DecisionService;
      predictions: PredictionService;
      gateways: GatewayDirectory;
    },
    now: () => Date = () => new Date(),
  ) {
    this.#parts = parts;
    this.#now = now;
  }

  async stats(gateway?: string): Promise<DashboardStats> {
    const { figures, alerts, devices, decisions, predictions, gateways } = this.#parts;
    const now = this.#now();
    const lastDay = { from: new Date(now.getTime() - dayMs).toISOString(), gateway };
    const [byStatus, open, today, counts, enrolled, activeDecisions, losses] = await Promise.all([
      devices.countByStatus(gateway),
      alerts.openBySeverity(lastDay),
      alerts.countOpened(midnight(now), gateway),
      predictions.counts(lastDay),
      gateways.enrolled(),
      decisions.countActive(gateway),
      figures.losses(gateway),
    ]);
    const shown = enrolled.filter((known) => gateway === undefined || known.id === gateway);
    return {
      threat_level: Severity.options.toReversed().find((severity) => (open[severity] ?? 0) > 0) ?? 'none',
      active_devices: byStatus.online + byStatus.under_attack + byStatus.quarantined,
      devices: byStatus.online + byStatus.under_attack + byStatus.quarantined + byStatus.offline,
      attacks_today: today,
      open_alerts: Object.values(open).reduce((sum, count) => sum + count, 0),
      benign_rate: counts.predictions === 0 ? null : (counts.predictions - counts.attacks) / counts.predictions,
      gateways: { enrolled: shown.length, online: shown.filter((known) => known.online).length },
      active_decisions: activeDecisions,
      losses: { dropped_by_gateways: losses.lost, rejected: losses.rejected },
    };
  }

  /** Stretches in which something was scored, oldest first. */
  async timeline(filter: ScoreFilter, bucket: Bucket): Promise<TimelineBucket[]> {
    const [counted, scores] = await Promise.all([
      this.#parts.figures.counted(bucket.prefix, filter),
      this.#parts.figures.scores(bucket.prefix, filter),
    ]);
    const stretches = new Map<string, TimelineBucket>();
    for (const { key, predictions, attacks, max_score } of counted) {
      stretches.set(key, { at: instantOfBucket(key), predictions, attacks, max_score, mean_score: null });
    }
    for (const { key, mean, max } of scores) {
      const stretch = stretches.get(key) ?? {
        at: instantOfBucket(key),
        predictions: 0,
        attacks: 0,
        max_score: 0,
        mean_score: null,
      };
      stretches.set(key, { ...stretch, max_score: Math.max(stretch.max_score, max), mean_score: mean });
    }
    return [...stretches.keys()].toSorted().flatMap((key) => stretches.get(key) ?? []);
  }

  attackDistribution(span: TimeSpan, gateway?: string): Promise<Record<string, number>> {
    return this.#parts.alerts.countByClass({ ...span, gateway });
  }
}
