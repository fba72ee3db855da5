/** The reader of model files against bytes that somebody changed on purpose. */
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { BundleFault } from './bundle-fault.ts';
import { checkGraph } from './check-graph.ts';
import { readOnnx } from './read-onnx.ts';

const bundles = fileURLToPath(new URL('../../../models/bundles/', import.meta.url));
const graph = readFileSync(`${bundles}${readdirSync(bundles).at(-1)!}/detect.onnx`);

function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

test('what is read of a shipped graph', () => {
  const summary = readOnnx(graph);
  expect(summary.inputs).toEqual(['windows', 'flows_seen', 'flow_context']);
  expect(summary.outputs).toEqual(['scores', 'probabilities']);
  expect(summary.forbidden).toEqual([]);
  expect(summary.unbackedTensors).toBe(0);
  expect(summary.operators.map(({ op }) => op)).toEqual(expect.arrayContaining(['Conv', 'LSTM', 'Softmax']));
  expect(() => checkGraph('detect.onnx', graph)).not.toThrow();
});

test('changed bytes are refused or read, and never do anything else', () => {
  const random = randomFrom(20_261_121);
  let refused = 0;
  for (let round = 0; round < 1500; round++) {
    const bytes = Uint8Array.from(graph.subarray(0, random(4) === 0 ? random(graph.length) : graph.length));
    // the structure is at both ends and around the names; the weights in between say little
    for (let change = 0; change <= random(8); change++)
      bytes[random(random(2) === 0 ? 3000 : bytes.length)] = random(256);
    try {
      checkGraph('detect.onnx', bytes);
    } catch (error) {
      expect(error).toBeInstanceOf(BundleFault);
      refused += 1;
    }
  }
  expect(refused).toBeGreaterThan(500);
});

test('a length beyond all bounds, and depth beyond reason, end at once', () => {
  const huge = Uint8Array.of(0x3a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f);
  expect(() => checkGraph('detect.onnx', huge)).toThrow(BundleFault);
  let nested: Uint8Array = new Uint8Array(0);
  for (let depth = 0; depth < 2000; depth++) nested = Uint8Array.of(0x3a, ...lengthOf(nested.length), ...nested);
  expect(() => checkGraph('detect.onnx', nested)).toThrow(BundleFault);
});

function lengthOf(length: number): number[] {
  return length < 128 ? [length] : [(length & 127) | 128, ...lengthOf(length >> 7)];
}
