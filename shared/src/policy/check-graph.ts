/**
 * Which model files may reach onnxruntime at all: our operators only, nothing outside the file, bounded tensors. A few
 * bytes of ONNX can otherwise cost gigabytes or the process.
 */
import { BundleFault } from './bundle-fault.ts';
import { readOnnx, UnreadableModel } from './read-onnx.ts';
import type { OnnxSummary } from './read-onnx.ts';

/** What our graphs are made of. None of these makes a large tensor out of a small one by a number in the file. */
const allowedOperators = new Set(
  (
    'Add And Cast Clip Concat Conv Div Equal Exp GreaterOrEqual Identity LSTM LessOrEqual Log LogSoftmax MatMul Min Mul ' +
    'Neg ReduceLogSumExp ReduceMax ReduceSum Relu Reshape Sigmoid Sign Softmax Split Sqrt Sub Tanh Transpose Where'
  ).split(' '),
);

const maxNodes = 10_000;
const maxStoredElements = 4_000_000;
const maxTensorElements = 2_000_000;
const maxDimension = 1_000_000;
/** Between these lie the operator sets that stock onnxruntime reads and our graphs are written for. */
const oldestOpset = 11;
const newestOpset = 24;

/** By what names an agent feeds each graph, and what it reads. */
const interfaces: Readonly<
  Record<string, { readonly inputs: readonly string[]; readonly outputs: readonly string[] }>
> = {
  'detect.onnx': { inputs: ['windows', 'flows_seen'], outputs: ['scores', 'probabilities'] },
  'explain.onnx': { inputs: ['windows', 'flows_seen', 'alphas', 'weights'], outputs: ['attributions', 'logits'] },
};

/** Throws BundleFault with what is wrong; `name` is the file's. */
export function checkGraph(name: string, bytes: Uint8Array): void {
  let summary: OnnxSummary;
  try {
    summary = readOnnx(bytes);
  } catch (error) {
    if (error instanceof UnreadableModel)
      throw new BundleFault('unreadable-graph', `${name} is no ONNX model: ${error.message}`);
    throw error;
  }
  const foreign = summary.operators.find(({ op, domain }) => domain !== '' || !allowedOperators.has(op));
  if (foreign !== undefined) {
    const operator = foreign.domain === '' ? foreign.op : `${foreign.domain}.${foreign.op}`;
    throw new BundleFault('foreign-operator', `${name} uses the operator ${operator}, which no bundle of ours does`);
  }
  if (summary.opsets.length !== 1 || summary.opsets[0]?.domain !== '') {
    throw new BundleFault('foreign-operator', `${name} imports operator sets other than ONNX's own`);
  }
  const { version } = summary.opsets[0];
  if (version < oldestOpset || version > newestOpset) {
    throw new BundleFault(
      'foreign-operator',
      `${name} needs operator set ${version}, outside ${oldestOpset} to ${newestOpset}`,
    );
  }
  const forbidden = summary.forbidden[0];
  if (forbidden !== undefined) throw new BundleFault('forbidden-content', `${name} contains ${forbidden}`);
  const limits = [
    ['nodes', summary.operators.length, maxNodes],
    ['stored numbers', summary.storedElements, maxStoredElements],
    ['numbers in one stored tensor', summary.largestTensor, maxTensorElements],
    ['elements in one dimension', summary.largestDimension, maxDimension],
  ] as const;
  for (const [what, value, limit] of limits) {
    if (value > limit) throw new BundleFault('oversized', `${name} has ${value} ${what}, more than ${limit}`);
  }
  if (summary.unbackedTensors > 0) {
    throw new BundleFault('unreadable-graph', `${name} has stored tensors that announce more numbers than they hold`);
  }
  const expected = interfaces[name];
  if (expected === undefined) return;
  for (const [what, wanted, found] of [
    ['input', expected.inputs, summary.inputs],
    ['output', expected.outputs, summary.outputs],
  ] as const) {
    const missing = wanted.find((one) => !found.includes(one));
    if (missing !== undefined) throw new BundleFault('wrong-shape', `${name} has no ${what} ${missing}`);
  }
}
