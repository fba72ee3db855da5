/**
 * Which model files may reach onnxruntime at all: our operators only, nothing outside the file, bounded tensors. A few
 * bytes of ONNX can otherwise cost gigabytes or the process.
 */
import { BundleError } from './bundle-error.ts';
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
const maxDimension = 1_000_000;

/** Throws BundleError with what is wrong; `name` is the file's. */
export function checkGraph(name: string, bytes: Uint8Array): void {
  let summary: OnnxSummary;
  try {
    summary = readOnnx(bytes);
  } catch (error) {
    if (error instanceof UnreadableModel)
      throw new BundleError('unreadable-graph', `${name} is no ONNX model: ${error.message}`);
    throw error;
  }
  const foreign = summary.operators.find(({ op, domain }) => domain !== '' || !allowedOperators.has(op));
  if (foreign !== undefined) {
    const operator = foreign.domain === '' ? foreign.op : `${foreign.domain}.${foreign.op}`;
    throw new BundleError('foreign-operator', `${name} uses the operator ${operator}, which no bundle of ours does`);
  }
  if (summary.opsets.length !== 1 || summary.opsets[0]!.domain !== '') {
    throw new BundleError('foreign-operator', `${name} imports operator sets other than ONNX's own`);
  }
  const forbidden = summary.forbidden[0];
  if (forbidden !== undefined) throw new BundleError('forbidden-content', `${name} contains ${forbidden}`);
  const limits = [
    ['nodes', summary.operators.length, maxNodes],
    ['stored numbers', summary.storedElements, maxStoredElements],
    ['elements in one dimension', summary.largestDimension, maxDimension],
  ] as const;
  for (const [what, value, limit] of limits) {
    if (value > limit) throw new BundleError('oversized', `${name} has ${value} ${what}, more than ${limit}`);
  }
}
