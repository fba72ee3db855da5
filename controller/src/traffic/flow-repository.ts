/** Flows and what predictions said of them. */
import type { Selectable } from 'kysely';
import type { Database } from '../database/database.ts';
import type { Executor } from '../database/executor.ts';
import type { FlowLabelRow, FlowRow } from '../database/traffic-tables.ts';
import { newestFirst, type RowsWanted, type TimeSpan } from '../database/keyset.ts';
import { excluded, inChunks } from '../database/upsert.ts';

export type LabelledFlow = Omit<Selectable<FlowRow>, 'features' | 'is_relayed'> & {
  readonly class: FlowLabelRow['class'] | null;
  readonly score: number | null;
  readonly features?: Uint8Array;
};

export interface FlowFilter extends TimeSpan {
  readonly device: string;
  readonly source?: FlowRow['source'] | undefined;
  readonly class?: FlowLabelRow['class'] | undefined;
  readonly features?: boolean | undefined;
}

/** Of a flow, without its features. */
export const flowColumns = [
  'flows.gateway_id',
  'flows.flow_id',
  'flows.device_id',
  'flows.report_number',
  'flows.end_reason',
  'flows.direction',
  'flows.started_at',
  'flows.last_packet_at',
  'flows.src_ip',
  'flows.src_port',
  'flows.dst_ip',
  'flows.dst_port',
  'flows.protocol',
  'flows.fwd_packets',
  'flows.bwd_packets',
  'flows.fwd_bytes',
  'flows.bwd_bytes',
  'flows.source',
  'flows.recorded_at',
] as const;

/** All that a later report replaces. */
const replaced = [
  'device_id',
  'report_number',
  'end_reason',
  'direction',
  'started_at',
  'last_packet_at',
  'src_ip',
  'src_port',
  'dst_ip',
  'dst_port',
  'protocol',
  'fwd_packets',
  'bwd_packets',
  'fwd_bytes',
  'bwd_bytes',
  'source',
  'is_relayed',
  'features',
  'recorded_at',
] as const;

export class FlowRepository {
  readonly #reader: Executor;

  constructor(database: Pick<Database, 'reader'>) {
    this.#reader = database.reader;
  }

  /** Newest first, at most `limit + 1`. `benign` means: no attack prediction saw it. */
  async list(filter: FlowFilter, page: RowsWanted): Promise<LabelledFlow[]> {
    let query = this.#labelled().where('flows.device_id', '=', filter.device);
    if (filter.features === true) query = query.select('flows.features');
    if (filter.source !== undefined) query = query.where('flows.source', '=', filter.source);
    if (filter.class === 'benign') query = query.where('flow_labels.class', 'is', null);
    else if (filter.class !== undefined) query = query.where('flow_labels.class', '=', filter.class);
    if (filter.from !== undefined) query = query.where('flows.recorded_at', '>=', filter.from);
    if (filter.to !== undefined) query = query.where('flows.recorded_at', '<', filter.to);
    return newestFirst(query, ['flows.recorded_at', 'flows.flow_id'], page).execute();
  }

  async deviceExists(id: string): Promise<boolean> {
    return (
      (await this.#reader.selectFrom('devices').select('id').where('id', '=', id).executeTakeFirst()) !== undefined
    );
  }

  /** In no order. */
  async byId(gatewayId: string, flowIds: readonly string[]): Promise<LabelledFlow[]> {
    if (flowIds.length === 0) return [];
    return this.#labelled().where('flows.gateway_id', '=', gatewayId).where('flows.flow_id', 'in', flowIds).execute();
  }

  /** A later report replaces an earlier one; each flow once in `rows`. */
  async upsert(executor: Executor, rows: readonly Selectable<FlowRow>[]): Promise<void> {
    for (const chunk of inChunks(rows)) {
      await executor
        .insertInto('flows')
        .values([...chunk])
        .onConflict((conflict) =>
          conflict
            .columns(['gateway_id', 'flow_id'])
            .doUpdateSet((eb) => excluded(eb, replaced))
            .where((eb) => eb('flows.report_number', '<', eb.ref('excluded.report_number'))),
        )
        .execute();
    }
  }

  /** The worst prediction of a flow wins, in whatever order they come; each flow once in `rows`. */
  async label(executor: Executor, rows: readonly Selectable<FlowLabelRow>[]): Promise<void> {
    for (const chunk of inChunks(rows)) {
      await executor
        .insertInto('flow_labels')
        .values([...chunk])
        .onConflict((conflict) =>
          conflict
            .columns(['gateway_id', 'flow_id'])
            .doUpdateSet((eb) => excluded(eb, ['class', 'score', 'prediction_id', 'recorded_at']))
            .where((eb) =>
              eb.or([
                eb('flow_labels.score', '<', eb.ref('excluded.score')),
                eb.and([
                  eb('flow_labels.score', '=', eb.ref('excluded.score')),
                  eb('flow_labels.prediction_id', '>', eb.ref('excluded.prediction_id')),
                ]),
              ]),
            ),
        )
        .execute();
    }
  }

  #labelled() {
    return this.#reader
      .selectFrom('flows')
      .leftJoin('flow_labels', (join) =>
        join
          .onRef('flow_labels.gateway_id', '=', 'flows.gateway_id')
          .onRef('flow_labels.flow_id', '=', 'flows.flow_id'),
      )
      .select(flowColumns)
      .select(['flow_labels.class', 'flow_labels.score']);
  }
}
