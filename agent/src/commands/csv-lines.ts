/** Flows as CSV, in the shape of the published tables, written in place. */
import { featureCount, featureNames } from '@picket/shared/features/feature-schema';
import { addressText } from '../devices/flow-address.ts';
import { communityIdOfRow } from '../features/community-id.ts';
import type { FlowBatch } from '../features/flow-batch.ts';
import { numberBytes, writeNumber, writeWhole } from './write-number.ts';

const comma = 0x2c;
const dot = 0x2e;
const newline = 0x0a;
/** Two IPv6 addresses, five whole numbers and a Community ID, with their commas. */
const keyBytes = 160;
const mostLineBytes = keyBytes + featureCount * (1 + numberBytes);

/** Five key columns and the 78 features in data-set order; behind them the Community ID, if it is wanted. */
export function csvHeader(withCommunityId = false): string {
  return `srcIp,srcPort,dstIp,dstPort,protocol,${featureNames.join(',')}${withCommunityId ? ',communityId' : ''}\n`;
}

/** Writes lines into one buffer, again and again. */
export class CsvLines {
  readonly #withCommunityId: boolean;
  #bytes = Buffer.alloc(0);

  constructor(withCommunityId = false) {
    this.#withCommunityId = withCommunityId;
  }

  /** NaN and infinities are written as such, as the published tables have them. A flow without Community ID has it empty. */
  of(batch: FlowBatch): Buffer {
    const most = batch.count * mostLineBytes;
    if (this.#bytes.length < most) this.#bytes = Buffer.allocUnsafe(most);
    let at = 0;
    for (let row = 0; row < batch.count; row++) at = this.#write(this.#bytes, at, batch, row);
    return Buffer.from(this.#bytes.subarray(0, at));
  }

  #write(bytes: Buffer, start: number, batch: FlowBatch, row: number): number {
    const family = batch.family[row]!;
    let at = writeAddress(bytes, start, batch.srcAddress, row, family);
    at = writeColumn(bytes, at, batch.srcPort[row]!);
    bytes[at++] = comma;
    at = writeAddress(bytes, at, batch.dstAddress, row, family);
    at = writeColumn(bytes, at, batch.dstPort[row]!);
    at = writeColumn(bytes, at, batch.protocol[row]!);
    const values = batch.features;
    const end = (row + 1) * featureCount;
    for (let i = row * featureCount; i < end; i++) at = writeColumn(bytes, at, values[i]!);
    if (this.#withCommunityId) at = writeText(bytes, at, `,${communityIdOfRow(batch, row) ?? ''}`);
    bytes[at++] = newline;
    return at;
  }
}

function writeColumn(bytes: Buffer, at: number, value: number): number {
  bytes[at] = comma;
  return writeNumber(bytes, at + 1, value);
}

function writeAddress(bytes: Buffer, start: number, addresses: Uint8Array, row: number, family: number): number {
  if (family !== 4) return writeText(bytes, start, addressText(addresses, row, family));
  let at = start;
  for (let i = row * 16 + 12; i < row * 16 + 16; i++) {
    at = writeWhole(bytes, at, addresses[i]!);
    bytes[at++] = dot;
  }
  return at - 1;
}

/** ASCII only. */
function writeText(bytes: Buffer, at: number, text: string): number {
  return at + bytes.write(text, at, 'latin1');
}
