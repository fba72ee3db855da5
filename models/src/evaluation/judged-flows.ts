/** The flows of a stretch as decisions are taken on them: what `shared/src/policy` asks of a gateway's windows. */
import { FlowDirection } from '@picket/shared/contract/address';
import { featureNames } from '@picket/shared/features/feature-schema';
import type { JudgedFlow } from '@picket/shared/policy/judged-window';
import type { FlowRows } from '../dataset/flow-rows.ts';

const columnOf = (name: (typeof featureNames)[number]): number => featureNames.indexOf(name);
const column = {
  fwdPackets: columnOf('Total Fwd Packets'),
  bwdPackets: columnOf('Total Backward Packets'),
  fwdBytes: columnOf('Total Length of Fwd Packets'),
  bwdBytes: columnOf('Total Length of Bwd Packets'),
  synPackets: columnOf('SYN Flag Count'),
  ackPackets: columnOf('ACK Flag Count'),
};

/** Row by row, and each row once: neighbouring windows share their flows. */
export class JudgedFlows {
  readonly #rows: FlowRows;
  readonly #known = new Map<number, JudgedFlow | undefined>();

  constructor(rows: FlowRows) {
    this.#rows = rows;
  }

  /** Those of a window's rows of which it is known who opened them, in their order. */
  of(window: Iterable<number>): readonly JudgedFlow[] {
    return [...window].flatMap((row) => {
      if (row < 0) return [];
      if (!this.#known.has(row)) this.#known.set(row, judgedFlow(this.#rows, row));
      return this.#known.get(row) ?? [];
    });
  }
}

/** Bytes are payload, as in the features. */
function judgedFlow(rows: FlowRows, row: number): JudgedFlow | undefined {
  const ends = rows.endsOf(row);
  const direction = FlowDirection.options[rows.directions[row]!];
  if (ends === undefined || direction === undefined) return undefined;
  const values = rows.row(row);
  return {
    startedAtUs: rows.startUs[row]!,
    lastPacketAtUs: rows.lastUs[row]!,
    srcIp: ends.from,
    dstIp: ends.to,
    dstPort: ends.port,
    protocol: ends.protocol,
    direction,
    fwdPackets: values[column.fwdPackets]!,
    bwdPackets: values[column.bwdPackets]!,
    fwdBytes: values[column.fwdBytes]!,
    bwdBytes: values[column.bwdBytes]!,
    synPackets: values[column.synPackets]!,
    ackPackets: values[column.ackPackets]!,
  };
}
