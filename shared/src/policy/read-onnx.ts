/**
 * Reads from a model file what has to be known before it may be loaded: operators, domains, tensors, and whether it
 * reaches outside itself. A reader of protobuf for just these fields; the bytes may be hostile. Where protobuf lets a
 * field stand twice, what counts for the caps is all of them.
 */

export interface OnnxSummary {
  /** Of each node, in order. */
  readonly operators: readonly { readonly op: string; readonly domain: string }[];
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly opsets: readonly { readonly domain: string; readonly version: number }[];
  /** Elements of all stored tensors. */
  readonly storedElements: number;
  /** Of the largest of them. */
  readonly largestTensor: number;
  /** Of stored tensors, inputs and outputs. */
  readonly largestDimension: number;
  /** Stored tensors that announce more elements than they have bytes. */
  readonly unbackedTensors: number;
  /** Things that none of our graphs has, in words. */
  readonly forbidden: readonly string[];
}

/** Not a model file, or a damaged one. */
export class UnreadableModel extends Error {
  override readonly name = 'UnreadableModel';
}

interface MutableSummary {
  operators: { op: string; domain: string }[];
  inputs: string[];
  outputs: string[];
  opsets: { domain: string; version: number }[];
  storedElements: number;
  largestTensor: number;
  largestDimension: number;
  unbackedTensors: number;
  forbidden: string[];
}

/** Throws UnreadableModel. */
export function readOnnx(bytes: Uint8Array): OnnxSummary {
  const summary: MutableSummary = {
    operators: [],
    inputs: [],
    outputs: [],
    opsets: [],
    storedElements: 0,
    largestTensor: 0,
    largestDimension: 0,
    unbackedTensors: 0,
    forbidden: [],
  };
  let graphs = 0;
  for (const { number, value } of fieldsOf(bytes)) {
    if (number === 7) {
      graphs += 1;
      readGraph(asBytes(value), summary);
    } else if (number === 8) summary.opsets.push(readOpset(asBytes(value)));
    else if (number === 20) summary.forbidden.push('training information');
    else if (number === 25) summary.forbidden.push('functions');
  }
  if (graphs !== 1) throw new UnreadableModel(`${graphs} graphs instead of one`);
  return summary;
}

function readGraph(bytes: Uint8Array, summary: MutableSummary): void {
  for (const { number, value } of fieldsOf(bytes)) {
    if (number === 1) readNode(asBytes(value), summary);
    else if (number === 5) readTensor(asBytes(value), summary);
    else if (number === 11) summary.inputs.push(readValueInfo(asBytes(value), summary));
    else if (number === 12) summary.outputs.push(readValueInfo(asBytes(value), summary));
    else if (number === 15) summary.forbidden.push('sparse tensors');
  }
}

function readNode(bytes: Uint8Array, summary: MutableSummary): void {
  let op = '';
  let domain = '';
  for (const { number, value } of fieldsOf(bytes)) {
    if (number === 4) op = asText(value);
    else if (number === 7) domain = asText(value);
    else if (number === 5) readAttribute(asBytes(value), summary);
  }
  summary.operators.push({ op, domain });
}

function readAttribute(bytes: Uint8Array, summary: MutableSummary): void {
  for (const { number, value } of fieldsOf(bytes)) {
    if (number === 5 || number === 10) readTensor(asBytes(value), summary);
    else if (number === 6 || number === 11) summary.forbidden.push('a graph inside a node');
    else if (number === 22 || number === 23) summary.forbidden.push('sparse tensors');
  }
}

function readTensor(bytes: Uint8Array, summary: MutableSummary): void {
  let elements = 1;
  for (const { number, value } of fieldsOf(bytes)) {
    if (number === 13 || (number === 14 && value !== 0)) summary.forbidden.push('data outside the file');
    if (number !== 1) continue;
    for (const size of typeof value === 'number' ? [value] : packedVarints(value)) {
      elements *= size;
      summary.largestDimension = Math.max(summary.largestDimension, size);
    }
  }
  summary.storedElements += elements;
  summary.largestTensor = Math.max(summary.largestTensor, elements);
  if (elements > bytes.length) summary.unbackedTensors += 1; // each takes a byte at the very least
}

function readOpset(bytes: Uint8Array): { domain: string; version: number } {
  let domain = '';
  let version = 0;
  for (const { number, value } of fieldsOf(bytes)) {
    if (number === 1) domain = asText(value);
    else if (number === 2 && typeof value === 'number') version = value;
  }
  return { domain, version };
}

/** Its name; its fixed dimensions go into the summary. */
function readValueInfo(bytes: Uint8Array, summary: MutableSummary): string {
  let name = '';
  for (const { number, value } of fieldsOf(bytes)) {
    if (number === 1) name = asText(value);
    else if (number === 2) readType(asBytes(value), summary);
  }
  return name;
}

function readType(bytes: Uint8Array, summary: MutableSummary): void {
  for (const { number, value } of fieldsOf(bytes)) {
    if (number === 1) readTensorType(asBytes(value), summary);
    else if (number !== 6) summary.forbidden.push('inputs or outputs that are no tensors'); // 6: a denotation
  }
}

function readTensorType(bytes: Uint8Array, summary: MutableSummary): void {
  for (const { number, value } of fieldsOf(bytes)) {
    if (number !== 2) continue;
    for (const { number: inShape, value: dimension } of fieldsOf(asBytes(value))) {
      if (inShape !== 1) continue;
      for (const { number: kind, value: size } of fieldsOf(asBytes(dimension))) {
        if (kind === 1 && typeof size === 'number') summary.largestDimension = Math.max(summary.largestDimension, size);
      }
    }
  }
}

interface Field {
  readonly number: number;
  /** Varints as numbers, everything else as bytes. */
  readonly value: number | Uint8Array;
}

function* fieldsOf(bytes: Uint8Array): Generator<Field> {
  let at = 0;
  while (at < bytes.length) {
    const tag = varint(bytes, at);
    const number = Math.floor(tag.value / 8);
    const wire = tag.value % 8;
    at = tag.next;
    if (wire === 0) {
      const { value, next } = varint(bytes, at);
      at = next;
      yield { number, value };
      continue;
    }
    let length = wire === 1 ? 8 : 4;
    if (wire === 2) ({ value: length, next: at } = varint(bytes, at));
    else if (wire !== 1 && wire !== 5) throw new UnreadableModel(`unknown wire type ${wire} at byte ${at}`);
    if (at + length > bytes.length) throw new UnreadableModel(`a field runs beyond its end at byte ${at}`);
    yield { number, value: bytes.subarray(at, at + length) };
    at += length;
  }
}

/** Negative numbers come out as huge ones, which every cap refuses. */
function varint(bytes: Uint8Array, from: number): { value: number; next: number } {
  let value = 0;
  for (let index = 0; index < 10; index++) {
    const byte = bytes[from + index];
    if (byte === undefined) break;
    value += (byte & 127) * 2 ** (7 * index);
    if (byte < 128) return { value, next: from + index + 1 };
  }
  throw new UnreadableModel(`a number does not end at byte ${from}`);
}

function packedVarints(bytes: Uint8Array): number[] {
  const values: number[] = [];
  for (let at = 0; at < bytes.length;) {
    const { value, next } = varint(bytes, at);
    values.push(value);
    at = next;
  }
  return values;
}

function asBytes(value: number | Uint8Array): Uint8Array {
  if (typeof value === 'number') throw new UnreadableModel('a number where a message belongs');
  return value;
}

function asText(value: number | Uint8Array): string {
  return new TextDecoder().decode(asBytes(value));
}
