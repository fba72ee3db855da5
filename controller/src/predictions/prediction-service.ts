/** Predictions: what the model said, its explanation, and how much of the traffic was benign. */
import type { Selectable } from 'kysely';
import type { MinuteCounters } from '@picket/shared/contract/envelope';
import type { GatewayId, PredictionId } from '@picket/shared/contract/identifiers';
import { Explanation, type Prediction } from '@picket/shared/contract/prediction';
import type {
  PredictionExplanation,
  PredictionStats,
  StoredPrediction,
} from '@picket/shared/contract/stored-prediction';
import type { Executor } from '../database/executor.ts';
import type { PredictionRow } from '../database/prediction-tables.ts';
import type { MinuteCounterRow } from '../database/traffic-tables.ts';
import type { Keyed, RowsWanted } from '../database/keyset.ts';
import { NotFound } from '../errors.ts';
import type { LiveMessage } from '../live/live-message.ts';
import type { FlowService } from '../traffic/flow-service.ts';
import type { CountFilter, PredictionCounts, PredictionFilter, PredictionRepository } from './prediction-repository.ts';

export interface ReportedPrediction {
  readonly prediction: Prediction;
  readonly at: string;
  readonly device: { readonly id: string; readonly name: string };
}

export interface ReportedCounters {
  readonly counters: MinuteCounters;
  readonly at: string;
  readonly deviceId: string;
}

export class PredictionService {
  readonly #predictions: PredictionRepository;
  readonly #flows: FlowService;

  constructor(predictions: PredictionRepository, flows: FlowService) {
    this.#predictions = predictions;
    this.#flows = flows;
  }

  async list(filter: PredictionFilter, page: RowsWanted): Promise<Keyed<StoredPrediction>[]> {
    const rows = await this.#predictions.list(filter, page);
    return rows.map((row) => ({ key: [row.recorded_at, row.id], item: toPrediction(row) }));
  }

  /** Throws `NotFound`. */
  async get(id: PredictionId): Promise<StoredPrediction> {
    return toPrediction(await this.#find(id));
  }

  /** Throws `NotFound`. */
  async explain(id: PredictionId): Promise<PredictionExplanation> {
    const row = await this.#find(id);
    const prediction = toPrediction(row);
    const explanation = row.explanation === null ? null : Explanation.parse(JSON.parse(row.explanation));
    const flows = await this.#flows.byId(row.gateway_id, prediction.flow_ids);
    return {
      prediction_id: prediction.id,
      explanation,
      flows: prediction.flow_ids.map((flowId, index) => ({
        flow_id: flowId,
        importance: explanation?.flow_importance[index] ?? null,
        flow: flows.get(flowId) ?? null,
      })),
    };
  }

  async stats(filter: CountFilter): Promise<PredictionStats> {
    const { predictions: total, attacks } = await this.#predictions.counts(filter);
    const percent = (part: number): number | null => (total === 0 ? null : (100 * part) / total);
    return {
      total,
      attacks,
      benign: total - attacks,
      attack_percent: percent(attacks),
      benign_percent: percent(total - attacks),
    };
  }

  counts(filter: CountFilter): Promise<PredictionCounts> {
    return this.#predictions.counts(filter);
  }

  /** The newest stored prediction of a device, as far as its live status needs it. */
  latestOf(deviceId: string): Promise<Pick<Selectable<PredictionRow>, 'flows_seen' | 'source'> | undefined> {
    return this.#predictions.latestOf(deviceId);
  }

  /** Ingestion, in the batch's transaction. Returns what is to be told live after its commit. */
  async store(
    executor: Executor,
    gatewayId: GatewayId,
    reports: readonly ReportedPrediction[],
  ): Promise<LiveMessage[]> {
    const unique = new Map<string, ReportedPrediction>();
    for (const report of reports) if (!unique.has(report.prediction.id)) unique.set(report.prediction.id, report);
    const stored = await this.#predictions.insert(
      executor,
      [...unique.values()].map((report) => toRow(gatewayId, report)),
    );
    const fresh = [...unique.values()].filter((report) => stored.has(report.prediction.id));
    await this.#flows.label(executor, gatewayId, fresh);
    return fresh.map((report) => liveEvent(gatewayId, report));
  }

  /** Ingestion: what the gateway counted; parts of one minute add up. */
  async count(executor: Executor, gatewayId: GatewayId, reports: readonly ReportedCounters[]): Promise<void> {
    const sums = new Map<string, Selectable<MinuteCounterRow>>();
    for (const { counters, at, deviceId } of reports) {
      const { device: _device, minute: minuteText, ...figures } = counters;
      const minute = new Date(minuteText).toISOString();
      const key = `${deviceId} ${minute} ${counters.source}`;
      const row = { ...figures, minute, device_id: deviceId, gateway_id: gatewayId, recorded_at: at };
      const before = sums.get(key);
      sums.set(key, before === undefined ? row : addCounters(before, row));
    }
    await this.#predictions.addCounters(executor, [...sums.values()]);
  }

  async #find(id: PredictionId): Promise<Selectable<PredictionRow>> {
    const row = await this.#predictions.find(id);
    if (row === undefined) throw new NotFound('there is no prediction with this id');
    return row;
  }
}

function addCounters(a: Selectable<MinuteCounterRow>, b: Selectable<MinuteCounterRow>): Selectable<MinuteCounterRow> {
  return {
    ...b,
    flows: a.flows + b.flows,
    packets: a.packets + b.packets,
    bytes: a.bytes + b.bytes,
    predictions: a.predictions + b.predictions,
    attacks: a.attacks + b.attacks,
    max_score: Math.max(a.max_score, b.max_score),
  };
}

function toRow(gatewayId: GatewayId, { prediction, at, device }: ReportedPrediction): Selectable<PredictionRow> {
  const { device: _device, explanation, flow_ids, class_probabilities, ...rest } = prediction;
  return {
    ...rest,
    gateway_id: gatewayId,
    device_id: device.id,
    at: new Date(prediction.at).toISOString(),
    class_probabilities: JSON.stringify(class_probabilities),
    flow_ids: JSON.stringify(flow_ids),
    explanation: explanation === null ? null : JSON.stringify(explanation),
    recorded_at: at,
  };
}

function toPrediction(row: Selectable<PredictionRow>): StoredPrediction {
  const { at, explanation, flow_ids, class_probabilities, ...rest } = row;
  return {
    ...rest,
    timestamp: at,
    class_probabilities: JSON.parse(class_probabilities) as number[],
    flow_ids: JSON.parse(flow_ids) as string[],
    feature_importance: explanation === null ? null : Explanation.parse(JSON.parse(explanation)).top_features,
  } as StoredPrediction;
}

function liveEvent(gatewayId: GatewayId, { prediction, device }: ReportedPrediction): LiveMessage {
  const { score, label, class: trafficClass, confidence, at } = prediction;
  return {
    channels: ['live', `device:${device.id}`],
    event: {
      type: 'prediction',
      data: {
        device_id: device.id,
        device_name: device.name,
        gateway_id: gatewayId,
        score,
        label,
        class: trafficClass,
        confidence,
        timestamp: at,
      },
    },
  };
}
