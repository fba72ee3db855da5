/** Past windows with their flows, and what people said of them since: what a dry run of a rule goes by. */
import { sql, type RawBuilder, type Selectable, type SqlBool } from 'kysely';
import { featureNames } from '@picket/shared/features/feature-schema';
import type { Database } from '../database/database.ts';
import type { Executor } from '../database/executor.ts';
import type { AlertRow } from '../database/alert-tables.ts';
import type { DecisionRow } from '../database/decision-tables.ts';
import type { DeviceRow } from '../database/device-tables.ts';
import type { PredictionRow } from '../database/prediction-tables.ts';
import type { FlowRow } from '../database/traffic-tables.ts';
import { inChunks } from '../database/upsert.ts';
import { flowColumns } from '../traffic/flow-repository.ts';

export type PastWindow = Pick<
  Selectable<PredictionRow>,
  | 'id'
  | 'gateway_id'
  | 'device_id'
  | 'at'
  | 'score'
  | 'threshold'
  | 'class_probabilities'
  | 'flows_seen'
  | 'flow_ids'
  | 'recorded_at'
> & { readonly address: DeviceRow['ip_address']; readonly mac: DeviceRow['mac'] };

export type FalseAlert = Pick<Selectable<AlertRow>, 'id' | 'device_id' | 'class' | 'first_seen_at' | 'last_seen_at'>;
export type ReleasedDecision = Pick<Selectable<DecisionRow>, 'id' | 'scope' | 'value' | 'created_at'>;

/** `syn` and `ack`: a float32 each, little-endian. */
export type PastFlow = Omit<Selectable<FlowRow>, 'features'> & {
  readonly syn: Uint8Array;
  readonly ack: Uint8Array;
};

const featureBytes = (name: (typeof featureNames)[number]): RawBuilder<Uint8Array> =>
  sql<Uint8Array>`substr(flows.features, ${sql.lit(featureNames.indexOf(name) * 4 + 1)}, 4)`;
const synFlags = featureBytes('SYN Flag Count');
const ackFlags = featureBytes('ACK Flag Count');

export class DryRunRepository {
  readonly #reader: Executor;

  constructor(database: Pick<Database, 'reader'>) {
    this.#reader = database.reader;
  }

  /** Oldest first, after the window with this key. */
  windows(from: string, after: readonly [recordedAt: string, id: string] | undefined, limit: number) {
    let query = this.#reader
      .selectFrom('predictions')
      .innerJoin('devices', 'devices.id', 'predictions.device_id')
      .select([
        'predictions.id',
        'predictions.gateway_id',
        'predictions.device_id',
        'predictions.at',
        'predictions.score',
        'predictions.threshold',
        'predictions.class_probabilities',
        'predictions.flows_seen',
        'predictions.flow_ids',
        'predictions.recorded_at',
        'devices.ip_address as address',
        'devices.mac',
      ])
      .where('predictions.recorded_at', '>=', from)
      .where('predictions.source', '!=', 'api');
    if (after !== undefined) {
      query = query.where(sql<SqlBool>`(predictions.recorded_at, predictions.id) > (${after[0]}, ${after[1]})`);
    }
    return query.orderBy('predictions.recorded_at').orderBy('predictions.id').limit(limit).execute() satisfies Promise<
      PastWindow[]
    >;
  }

  /** By id, and of their features no more than how many packets had SYN and ACK set. */
  async flows(gatewayId: string, ids: readonly string[]): Promise<Map<string, PastFlow>> {
    const found = new Map<string, PastFlow>();
    for (const chunk of inChunks(ids)) {
      const rows = await this.#reader
        .selectFrom('flows')
        .select([...flowColumns, 'flows.is_relayed', synFlags.as('syn'), ackFlags.as('ack')])
        .where('gateway_id', '=', gatewayId)
        .where('flow_id', 'in', [...chunk])
        .execute();
      for (const row of rows) found.set(row.flow_id, row);
    }
    return found;
  }

  /** Alerts that people resolved as false positives and that went on or came back since then, newest first. */
  falseAlerts(from: string, limit: number): Promise<FalseAlert[]> {
    return this.#reader
      .selectFrom('alerts')
      .select(['id', 'device_id', 'class', 'first_seen_at', 'last_seen_at'])
      .where('status', '=', 'false_positive')
      .where('recorded_at', '>=', from)
      .orderBy('recorded_at', 'desc')
      .limit(limit)
      .execute();
  }

  /** Decisions that people lifted before their end since then, newest first. */
  releasedDecisions(from: string, limit: number): Promise<ReleasedDecision[]> {
    return this.#reader
      .selectFrom('decisions')
      .select(['id', 'scope', 'value', 'created_at'])
      .where('lifted_at', '>=', from)
      .orderBy('lifted_at', 'desc')
      .limit(limit)
      .execute();
  }
}
