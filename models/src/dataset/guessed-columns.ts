/**
 * How packs of format 3 keep their columns: what a row holds is guessed from earlier columns and rows, and the difference
 * is kept, as 32 bits in four byte planes. Rows of one service, device and peer stand together in the planes.
 */
import { featureCount } from '@picket/shared/features/feature-schema';
import { keyFeatures } from './feature-columns.ts';
import { guesses } from './feature-guesses.ts';
import { type FlowColumns, emptyColumns } from './flow-columns.ts';
import type { FeatureColumns, Guess } from './guess-formulas.ts';
import { Kinship } from './row-kinship.ts';

/** Port, protocol, device and peer say which rows stand together, so they come first, in the order of the rows. */
const keysOfPlace = ['device', 'peer', 'port', 'protocol'] as const;
const otherKeys = ['reportNumber', 'otherDevice', 'episode', 'direction'] as const;
/** Of features, keys and the flow number; two for either time. */
const columnsOfPack = featureCount + keysOfPlace.length + otherKeys.length + 1 + 4;

/** Bytes of the columns of that many rows, and whether each feature is whole. */
export function guessedColumnsSize(rows: number): number {
  return featureCount + rows * columnsOfPack * 4;
}

/** Times are whole: `faultOf` says whether. */
export function encodeGuessedColumns(columns: FlowColumns, rows: number, fromUs: number): Buffer {
  const out = Buffer.alloc(guessedColumnsSize(rows));
  const features = featureColumns(rows);
  const bits = features.map((column) => new Int32Array(column.buffer));
  const all = new Int32Array(columns.features.buffer, columns.features.byteOffset, columns.features.length);
  for (let feature = 0; feature < featureCount; feature++) {
    const column = bits[feature]!;
    for (let row = 0; row < rows; row++) column[row + 1] = all[row * featureCount + feature]!;
    out[feature] = isWhole(features[feature]!) ? 1 : 0;
  }
  walk(columns, features, fromUs, out.subarray(0, featureCount), new Differences(out, rows, true));
  return out;
}

/** `body` is as long as `guessedColumnsSize` says. */
export function decodeGuessedColumns(body: Buffer, rows: number, fromUs: number): FlowColumns {
  const columns = emptyColumns(rows);
  const features = featureColumns(rows);
  walk(columns, features, fromUs, body.subarray(0, featureCount), new Differences(body, rows, false));
  const all = new Int32Array(columns.features.buffer);
  for (let feature = 0; feature < featureCount; feature++) {
    const bits = new Int32Array(features[feature]!.buffer);
    for (let row = 0; row < rows; row++) all[row * featureCount + feature] = bits[row + 1]!;
  }
  return columns;
}

/** A row of zeros stands before the others: who is like nobody is like it. */
function featureColumns(rows: number): Float32Array<ArrayBuffer>[] {
  return Array.from({ length: featureCount + 2 }, () => new Float32Array(rows + 1));
}

/** One way for writing and reading: what is guessed depends on what was walked over before, and on nothing else. */
function walk(
  columns: FlowColumns,
  features: FeatureColumns,
  fromUs: number,
  whole: Uint8Array,
  differences: Differences,
): void {
  const { flowNumber, reportNumber, startUs, lastUs, port } = columns;
  const kin = new Kinship(flowNumber.length);
  const { sameFlow, like, place } = kin;
  differences.ofKeys(flowNumber, (row) => (row === 0 ? 0 : flowNumber[row - 1]!));
  kin.joinFlows(flowNumber);
  for (const key of keysOfPlace) {
    const values = columns[key];
    differences.ofKeys(values, (row) => (sameFlow[row]! < 0 ? 0 : values[sameFlow[row]!]!));
  }
  kin.joinServices(columns);
  differences.place = place;
  for (const key of otherKeys) {
    const values = columns[key];
    differences.ofKeys(
      values,
      key === 'reportNumber'
        ? (row) => (sameFlow[row]! < 0 ? 0 : reportNumber[sameFlow[row]!]! + 1)
        : (row) => (like[row]! < 0 ? 0 : values[like[row]!]!),
    );
  }
  differences.ofTimes(lastUs, (row) => (row === 0 ? fromUs : lastUs[row - 1]!));
  differences.ofTimes(startUs, (row) => (sameFlow[row]! < 0 ? lastUs[row]! : startUs[sameFlow[row]!]!));
  for (let row = 0; row < like.length; row++) {
    features[keyFeatures.port]![row + 1] = port[row]!;
    features[keyFeatures.duration]![row + 1] = lastUs[row]! - startUs[row]!;
  }
  for (const [feature, guess] of guesses) differences.ofFeature(feature, whole[feature] === 1, guess, features, like);
}

/** Columns of differences, one after the other: written from values, or read and turned into values. */
class Differences {
  /** Where each row stands in the planes; at first in the order of the rows. */
  place: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #isWriting: boolean;
  #at = featureCount;

  constructor(bytes: Uint8Array, rows: number, isWriting: boolean) {
    this.place = Int32Array.from({ length: rows }, (_, row) => row);
    this.#bytes = bytes;
    this.#isWriting = isWriting;
  }

  ofKeys(values: Uint32Array | Uint16Array | Uint8Array, guess: (row: number) => number): void {
    const differences = this.#next();
    for (let row = 0; row < values.length; row++) {
      if (this.#isWriting) differences[row] = values[row]! - guess(row);
      else values[row] = guess(row) + differences[row]!;
    }
    this.#done(differences);
  }

  /** Two columns: how often 2^32 is in the difference, and what is left. */
  ofTimes(values: Float64Array, guess: (row: number) => number): void {
    const upper = new Uint32Array(values.length);
    if (this.#isWriting) {
      for (let row = 0; row < upper.length; row++) upper[row] = Math.floor((values[row]! - guess(row)) / twoTo32);
    }
    this.ofKeys(upper, () => 0);
    const lower = this.#next();
    for (let row = 0; row < values.length; row++) {
      if (this.#isWriting) lower[row] = values[row]! - guess(row);
      else values[row] = guess(row) + ((upper[row]! | 0) * twoTo32 + (lower[row]! >>> 0));
    }
    this.#done(lower);
  }

  /** Whole numbers differ as such, others by how many float32 lie between. */
  ofFeature(feature: number, isWhole: boolean, guess: Guess, features: FeatureColumns, like: Int32Array): void {
    const values = features[feature]!;
    const bits = new Int32Array(values.buffer);
    const guessed = new Float32Array(like.length);
    const guessedBits = new Int32Array(guessed.buffer);
    const isWriting = this.#isWriting;
    const differences = this.#next();
    for (let row = 0; row < like.length; row++) {
      const likely = Math.fround(guess(features, row + 1, like[row]! + 1));
      guessed[row] = likely - likely === 0 ? likely : 0; // a NaN has many bits, and none is sure
      if (isWriting) {
        differences[row] = isWhole
          ? values[row + 1]! - (guessed[row]! >>> 0)
          : ordered(bits[row + 1]!) - ordered(guessedBits[row]!);
      } else if (isWhole) values[row + 1] = ((guessed[row]! >>> 0) + differences[row]!) >>> 0;
      else bits[row + 1] = ordered((ordered(guessedBits[row]!) + differences[row]!) | 0);
    }
    this.#done(differences);
  }

  #next(): Int32Array {
    const rows = this.place.length;
    const codes = new Int32Array(rows);
    if (this.#isWriting) return codes;
    const { place } = this;
    for (let plane = 0; plane < 4; plane++) {
      const bytes = this.#plane(plane);
      if (zeros.length < rows) zeros = new Uint8Array(rows);
      if (Buffer.compare(bytes, zeros.subarray(0, rows)) === 0) continue;
      for (let row = 0; row < rows; row++) codes[row]! |= bytes[place[row]!]! << (8 * plane);
    }
    for (let row = 0; row < rows; row++) codes[row] = (codes[row]! >>> 1) ^ -(codes[row]! & 1);
    this.#at += 4 * rows;
    return codes;
  }

  #done(differences: Int32Array): void {
    if (!this.#isWriting) return;
    const { place } = this;
    for (let plane = 0; plane < 4; plane++) {
      const bytes = this.#plane(plane);
      for (let row = 0; row < place.length; row++) {
        // small ones of either sign become small numbers
        bytes[place[row]!] = ((differences[row]! << 1) ^ (differences[row]! >> 31)) >>> (8 * plane);
      }
    }
    this.#at += 4 * place.length;
  }

  #plane(plane: number): Uint8Array {
    const rows = this.place.length;
    return this.#bytes.subarray(this.#at + plane * rows, this.#at + (plane + 1) * rows);
  }
}

/** To compare with: most planes hold nothing else. */
let zeros = new Uint8Array(0);

const twoTo32 = 4_294_967_296;

/** Bits of a float32 to a whole number that rises with it, and back. */
const ordered = (bits: number): number => bits ^ ((bits >> 31) & 0x7f_ff_ff_ff);

/** Whole, of 32 bits and not -0 in every row: differences of whole numbers are smaller than those of their floats. */
function isWhole(values: Float32Array): boolean {
  return values.every((value) => value >>> 0 === value && !Object.is(value, -0));
}
