/** Every graph of a bundle holds only operators that stock onnxruntime runs and agents let in, in one known set. */
import { featureCount } from '@picket/shared/features/feature-schema';
import { InferenceSession } from 'onnxruntime-node';
import { expect, test } from 'vitest';
import { seededRandom } from '../dataset/seeded-random.ts';
import { buildDetectGraph, buildExplainGraph, buildTrainGraph } from './bundle-graphs.ts';
import { uncalibrated, wholeDesign } from './cnn-lstm.ts';
import { initialParameters } from './network-parameters.ts';
import { buildPerturbGraph } from './perturb-graph.ts';

/** The agent's list (`shared/src/policy/check-graph.ts`): whatever is added here must be added there. */
const allowed = new Set(
  (
    'Add And Cast Clip Concat Conv Div Equal Exp GreaterOrEqual Identity LSTM LessOrEqual Log LogSoftmax MatMul Min Mul ' +
    'Neg ReduceLogSumExp ReduceMax ReduceSum Relu Reshape Sigmoid Sign Softmax Split Sqrt Sub Tanh Transpose Where'
  ).split(' '),
);

const scaler = {
  mean: new Float32Array(featureCount).fill(3),
  scale: new Float32Array(featureCount).fill(0.5),
  ceiling: new Float32Array(featureCount).fill(4),
};
const network = {
  scaler,
  parameters: initialParameters(seededRandom(2)),
  calibration: uncalibrated,
  design: wholeDesign,
};
const graphs = {
  detect: buildDetectGraph(network),
  explain: buildExplainGraph(network),
  train: buildTrainGraph(scaler, network.parameters),
  perturb: buildPerturbGraph(network),
};

interface Field {
  readonly number: number;
  readonly value: number | Buffer;
}

/** The fields of one protobuf message: varints, fixed32 and bytes, which is all that our files hold. */
function fields(bytes: Buffer): Field[] {
  const found: Field[] = [];
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++]!;
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const key = varint();
    if (key % 8 === 0) found.push({ number: key >> 3, value: varint() });
    else if (key % 8 === 5) found.push({ number: key >> 3, value: bytes.readFloatLE((at += 4) - 4) });
    else {
      const length = varint();
      found.push({ number: key >> 3, value: bytes.subarray(at, (at += length)) });
    }
  }
  return found;
}

const inner = (message: Buffer, number: number): Buffer[] =>
  fields(message).flatMap((field) => (field.number === number && field.value instanceof Buffer ? [field.value] : []));

test.each(Object.entries(graphs))('%s', async (_name, bytes) => {
  const [graph] = inner(bytes, 7);
  const nodes = inner(graph!, 1);
  const operators = new Set(nodes.map((node) => inner(node, 4)[0]!.toString()));
  expect(nodes.length).toBeGreaterThan(20);
  expect([...operators].filter((operator) => !allowed.has(operator))).toEqual([]);
  expect(nodes.flatMap((node) => inner(node, 7))).toEqual([]); // no operator of another domain
  const sets = inner(bytes, 8).map((set) =>
    fields(set).map(({ value }) => (value instanceof Buffer ? value.toString() : value)),
  );
  expect(sets).toEqual([['', 17]]);
  const session = await InferenceSession.create(bytes, { graphOptimizationLevel: 'disabled', logSeverityLevel: 3 });
  expect(session.inputNames).toContain('windows');
  await session.release();
});

test('a bundle of four graphs stays below a megabyte', () => {
  // The card and the two manifests take the rest.
  expect(Object.values(graphs).reduce((sum, { length }) => sum + length, 0)).toBeLessThan(850_000);
});
