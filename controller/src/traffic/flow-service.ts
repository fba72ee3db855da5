/** Flows: reports of a flow replace one another, and an analyst reads what was said of each. */
import type { Selectable } from 'kysely';
import { featureCount } from '@picket/shared/features/feature-schema';
import type { Flow } from '@picket/shared/contract/flow';
import type { GatewayId } from '@picket/shared/contract/identifiers';
import type { Prediction } from '@picket/shared/contract/prediction';
import type { StoredFlow } from '@picket/shared/contract/stored-flow';
import type { Executor } from '../database/executor.ts';
import type { FlowLabelRow, FlowRow } from '../database/traffic-tables.ts';
import type { Keyed, RowsWanted } from '../database/keyset.ts';
import { NotFound } from '../errors.ts';
import type { FlowFilter, FlowRepository, LabelledFlow } from './flow-repository.ts';

/** One report with the time at which the gateway recorded it. */
export interface ReportedFlow {
  readonly flow: Flow;
  readonly at: string;
  readonly deviceId: string;
}

export interface RecordedPrediction {
  readonly prediction: Prediction;
  readonly at: string;
}

export class FlowService {
  readonly #flows: FlowRepository;

  constructor(flows: FlowRepository) {
    this.#flows = flows;
  }

  /** Newest first. Throws `NotFound` where there is no such device. */
  async list(filter: FlowFilter, page: RowsWanted): Promise<Keyed<StoredFlow>[]> {
    const rows = await this.#flows.list(filter, page);
    if (rows.length === 0 && !(await this.#flows.deviceExists(filter.device))) {
      throw new NotFound('there is no device with this id');
    }
    return rows.map((row) => ({ key: [row.recorded_at, row.flow_id], item: toFlow(row) }));
  }

  /** Those of the ids that were reported, by id. */
  async byId(gatewayId: string, flowIds: readonly string[]): Promise<ReadonlyMap<string, StoredFlow>> {
    const rows = await this.#flows.byId(gatewayId, flowIds);
    return new Map(rows.map((row) => [row.flow_id, toFlow(row)]));
  }

  /** Ingestion, in the batch's transaction. Of several reports of one flow the highest number counts. */
  async store(executor: Executor, gatewayId: GatewayId, reports: readonly ReportedFlow[]): Promise<void> {
    const latest = new Map<string, ReportedFlow>();
    for (const report of reports) {
      const before = latest.get(report.flow.flow_id);
      if (before === undefined || before.flow.report_number < report.flow.report_number) {
        latest.set(report.flow.flow_id, report);
      }
    }
    await this.#flows.upsert(
      executor,
      [...latest.values()].map((report) => toRow(gatewayId, report)),
    );
  }

  /** Ingestion: what attack predictions say of the flows in their windows. */
  async label(executor: Executor, gatewayId: GatewayId, predictions: readonly RecordedPrediction[]): Promise<void> {
    const worst = new Map<string, Selectable<FlowLabelRow>>();
    for (const { prediction, at } of predictions) {
      if (prediction.label !== 'attack') continue;
      for (const flowId of prediction.flow_ids) {
        const label: Selectable<FlowLabelRow> = {
          gateway_id: gatewayId,
          flow_id: flowId,
          class: prediction.class,
          score: prediction.score,
          prediction_id: prediction.id,
          recorded_at: at,
        };
        const before = worst.get(flowId);
        if (before === undefined || isWorse(label, before)) worst.set(flowId, label);
      }
    }
    await this.#flows.label(executor, [...worst.values()]);
  }
}

function isWorse(label: Selectable<FlowLabelRow>, before: Selectable<FlowLabelRow>): boolean {
  return label.score === before.score ? label.prediction_id < before.prediction_id : label.score > before.score;
}

function toRow(gatewayId: GatewayId, { flow, at, deviceId }: ReportedFlow): Selectable<FlowRow> {
  const { device: _device, end, features, started_at, last_packet_at, is_relayed, ...rest } = flow;
  return {
    ...rest,
    gateway_id: gatewayId,
    device_id: deviceId,
    end_reason: end,
    started_at: new Date(started_at).toISOString(),
    last_packet_at: new Date(last_packet_at).toISOString(),
    is_relayed: is_relayed === true ? 1 : null,
    features: Buffer.from(features, 'base64'),
    recorded_at: at,
  };
}

function toFlow(row: LabelledFlow): StoredFlow {
  const { flow_id, end_reason, features, class: trafficClass, score, ...rest } = row;
  return {
    ...rest,
    id: flow_id,
    end: end_reason,
    class: trafficClass,
    score,
    ...(features === undefined ? {} : { features: unpackFeatures(features) }),
  } as StoredFlow;
}

/** JSON has no infinity: a number that is not finite is null. */
export function unpackFeatures(packed: Uint8Array): (number | null)[] {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  return Array.from({ length: featureCount }, (_, index) => {
    const value = view.getFloat32(index * 4, true);
    return Number.isFinite(value) ? value : null;
  });
}
