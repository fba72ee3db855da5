/**
 * Flows as CSV, in the shape of the published tables. The bytes are written in place: three quarters of all values are
 * small whole numbers, and turning each into a string first took more time than metering all its packets.
 */
import { featureCount, featureNames } from '@picket/shared/features/feature-schema';
import { addressText } from '../devices/flow-address.ts';
import { communityIdOfRow } from '../features/community-id.ts';
import type { FlowBatch } from '../features/flow-batch.ts';

const comma = 0x2c;
const dot = 0x2e;
const newline = 0x0a;
const zero = 0x30;
const features = featureCount;
/** `-1.2345678901234567e-300` and its comma. */
const numberBytes = 25;
/** Two IPv6 addresses, five whole numbers and a Community ID, with their commas. */
const keyBytes = 160;
const mostLineBytes = keyBytes + featureCount * numberBytes;
const powersOf10 = Float64Array.from({ length: 16 }, (_, digits) => 10 ** digits);

/** Five key columns and the 78 features in data-set order; behind them the Community ID, if it is wanted. */
export function csvHeader(withCommunityId = false): string {
  return `srcIp,srcPort,dstIp,dstPort,protocol,${featureNames.join(',')}${withCommunityId ? ',communityId' : ''}\n`;
}

/** Writes lines into one buffer, again and again. */
export class CsvLines {
  readonly #withCommunityId: boolean;
  #bytes = Buffer.alloc(0);
  #end = 0;

  constructor(withCommunityId = false) {
    this.#withCommunityId = withCommunityId;
  }

  /** NaN and infinities are written as such, as the published tables have them. A flow without Community ID has it empty. */
  of(batch: FlowBatch): Buffer {
    const most = batch.count * mostLineBytes;
    if (this.#bytes.length < most) this.#bytes = Buffer.allocUnsafe(most);
    this.#end = 0;
    for (let row = 0; row < batch.count; row++) this.#add(batch, row);
    return Buffer.from(this.#bytes.subarray(0, this.#end));
  }

  #add(batch: FlowBatch, row: number): void {
    const family = batch.family[row]!;
    this.#address(batch.srcAddress, row, family);
    this.#column(batch.srcPort[row]!);
    this.#bytes[this.#end++] = comma;
    this.#address(batch.dstAddress, row, family);
    this.#column(batch.dstPort[row]!);
    this.#column(batch.protocol[row]!);
    const values = batch.features;
    const end = (row + 1) * features;
    for (let at = row * features; at < end; at++) this.#column(values[at]!);
    if (this.#withCommunityId) this.#text(`,${communityIdOfRow(batch, row) ?? ''}`);
    this.#bytes[this.#end++] = newline;
  }

  #address(addresses: Uint8Array, row: number, family: number): void {
    if (family !== 4) {
      this.#text(addressText(addresses, row, family));
      return;
    }
    for (let at = row * 16 + 12; at < row * 16 + 16; at++) {
      this.#whole(addresses[at]!);
      this.#bytes[this.#end++] = dot;
    }
    this.#end--;
  }

  /** A comma, and the shortest text that is read as this number again: what `String` makes of it. */
  #column(value: number): void {
    this.#bytes[this.#end++] = comma;
    if (value >= 0 && value < 1e15 && Math.floor(value) === value) this.#whole(value);
    else this.#text(String(value));
  }

  #whole(value: number): void {
    const bytes = this.#bytes;
    if (value < 10) {
      bytes[this.#end++] = zero + value;
      return;
    }
    let digits = 2;
    while (value >= powersOf10[digits]!) digits++;
    const start = this.#end;
    let at = start + digits;
    this.#end = at;
    let rest = value;
    // Nine digits at a time fit the processor's whole numbers.
    while (rest >= 1e9) {
      const upper = Math.floor(rest / 1e9);
      let lower = (rest - upper * 1e9) | 0;
      for (let i = 0; i < 9; i++) {
        const tenth = (lower / 10) | 0;
        bytes[--at] = zero + lower - tenth * 10;
        lower = tenth;
      }
      rest = upper;
    }
    let last = rest | 0;
    while (at > start) {
      const tenth = (last / 10) | 0;
      bytes[--at] = zero + last - tenth * 10;
      last = tenth;
    }
  }

  /** ASCII only. */
  #text(text: string): void {
    this.#end += this.#bytes.write(text, this.#end, 'latin1');
  }
}
