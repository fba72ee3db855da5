/** How packs of formats 1 and 2 keep their columns: as they are, in byte planes, times as differences from the row before. */
import { featureCount } from '@picket/shared/features/feature-schema';
import { type FlowColumns, keyColumns } from './flow-columns.ts';

/** Bytes of the columns of that many rows. */
export function plainColumnsSize(rows: number, format: 1 | 2): number {
  const keys = Object.values(keyColumns).reduce((sum, width) => sum + width, 0);
  return rows * (featureCount * 4 + 16 + keys - (format === 1 ? keyColumns.direction : 0));
}

/** `body` is as long as `plainColumnsSize` says. Where the format did not know directions they are 255. */
export function decodePlainColumns(body: Buffer, rows: number, fromUs: number, format: 1 | 2): FlowColumns {
  let at = 0;
  const next = (width: number): ArrayBuffer => {
    const plain = unplanes(body.subarray(at, at + rows * width), width);
    at += rows * width;
    return plain;
  };
  const features = new Int32Array(rows * featureCount);
  for (let feature = 0; feature < featureCount; feature++) {
    const column = new Int32Array(next(4));
    for (let row = 0; row < rows; row++) features[row * featureCount + feature] = column[row]!;
  }
  return {
    features: new Float32Array(features.buffer),
    startUs: sums(new Float64Array(next(8)), fromUs),
    lastUs: sums(new Float64Array(next(8)), fromUs),
    flowNumber: new Uint32Array(next(4)),
    reportNumber: new Uint16Array(next(2)),
    device: new Uint16Array(next(2)),
    otherDevice: new Uint16Array(next(2)),
    peer: new Uint16Array(next(2)),
    port: new Uint16Array(next(2)),
    protocol: new Uint8Array(next(1)),
    episode: new Uint16Array(next(2)),
    direction: format > 1 ? new Uint8Array(next(1)) : new Uint8Array(rows).fill(255),
  };
}

function unplanes(bytes: Buffer, width: number): ArrayBuffer {
  const count = bytes.length / width;
  const out = new Uint8Array(bytes.length);
  for (let plane = 0; plane < width; plane++) {
    for (let index = 0; index < count; index++) out[index * width + plane] = bytes[plane * count + index]!;
  }
  return out.buffer;
}

function sums(values: Float64Array<ArrayBuffer>, first: number): Float64Array<ArrayBuffer> {
  let value = first;
  for (let index = 0; index < values.length; index++) values[index] = value += values[index]!;
  return values;
}
