/**
 * The disposable process that loads an unknown bundle first: verifies it, makes every session, and runs it dry on windows
 * of all kinds. What a hostile graph can do to a process it does to this one; `probe-bundle.ts` watches from outside.
 * Says on stdout, as one line of JSON, how it went.
 */
import { featureCount, windowLength } from '@picket/shared/features/feature-schema';
import { flowContextSize, flowContextWidth } from '@picket/shared/features/flow-context';
import { trafficClasses } from '@picket/shared/features/traffic-classes';
import { InferenceSession } from 'onnxruntime-node';
import { BundleError } from './bundle-error.ts';
import { openModelBundle } from './model-bundle.ts';
import { OnnxDetector, sessionOptions } from './onnx-detector.ts';
import type { ProbeReply, ProbeRequest } from './probe-bundle.ts';

const windowSize = windowLength * featureCount;
const batchSize = 256;

/** Zeros, everyday sizes, the largest floats, negatives, and what is no number at all. */
function dryWindows(): Float32Array<ArrayBuffer> {
  const extremes = [0, 1, -1, 3.4e38, -3.4e38, Number.NaN, Number.POSITIVE_INFINITY, 1e-38];
  let state = 1;
  return Float32Array.from({ length: batchSize * windowSize }, (_, index) => {
    const window = Math.floor(index / windowSize);
    if (window < extremes.length) return extremes[window]!;
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state % 4 === 0 ? 0 : Math.expm1((state / 2 ** 32) * 20);
  });
}

/** Every other window with nothing known of its flows, the others with all kinds of ages, peers and directions. */
function dryContext(): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: batchSize * flowContextSize }, (_, index) =>
    Math.floor(index / flowContextSize) % 2 === 0
      ? -1
      : [1e6 / (1 + index), index % 10, index % 3, index % 101, index % 7, index % 1009, index % 2003][
          index % flowContextWidth
        ]!,
  );
}

function failed(reason: string): BundleError {
  return new BundleError('failed-probe', reason);
}

async function probe(request: ProbeRequest): Promise<ProbeReply> {
  const bundle = await openModelBundle(request.folder, request.trust, request.expected);
  const detector = await OnnxDetector.open(bundle).catch((error: unknown) => {
    throw failed(`onnxruntime does not load its graphs: ${String(error)}`);
  });
  await InferenceSession.create(bundle.graphs['train.onnx'], sessionOptions).catch((error: unknown) => {
    throw failed(`train.onnx: onnxruntime does not load it: ${String(error)}`);
  });
  const windows = dryWindows();
  const flowContext = dryContext();
  const flowsSeen = Uint8Array.from({ length: batchSize }, (_, index) => 1 + (index % windowLength));
  const startedAt = performance.now();
  for (const count of [1, 16, batchSize]) {
    const { scores, probabilities } = await detector
      .detect({ count, windows, flowsSeen, flowContext })
      .catch((error: unknown) => {
        throw failed(`detect.onnx: ${String(error)}`);
      });
    checkScores(count, scores, probabilities);
  }
  const detectMs = (performance.now() - startedAt) / (1 + 16 + batchSize);
  const explainedAt = performance.now();
  for (const index of [8, 9, 10, 11]) {
    const window = {
      features: windows.slice(index * windowSize, (index + 1) * windowSize),
      flowsSeen: flowsSeen[index]!,
      flowContext: flowContext.slice(index * flowContextSize, (index + 1) * flowContextSize),
    };
    const attributions = await detector.explain(window).catch((error: unknown) => {
      throw failed(`explain.onnx: ${String(error)}`);
    });
    if (!attributions.every(Number.isFinite)) throw failed('explain.onnx does not answer with finite numbers');
  }
  return { ok: true, detectMs, explainMs: (performance.now() - explainedAt) / 4 };
}

function checkScores(count: number, scores: Float32Array, probabilities: Float32Array): void {
  const classes = trafficClasses.length;
  if (scores.length !== count || probabilities.length !== count * classes)
    throw failed(
      `detect.onnx answers ${scores.length} scores and ${probabilities.length} probabilities for ${count} windows`,
    );
  for (let window = 0; window < count; window++) {
    const score = scores[window]!;
    const row = probabilities.subarray(window * classes, (window + 1) * classes);
    const sum = row.reduce((total, value) => total + value, 0);
    if (!(score >= -1e-4 && score <= 1.0001) || !(Math.abs(sum - 1) < 1e-3))
      throw failed(`detect.onnx gives window ${window} the score ${score} and probabilities that sum to ${sum}`);
  }
}

const request = JSON.parse(process.argv[2] ?? '{}') as ProbeRequest;
const reply = await probe(request).catch((error: unknown): ProbeReply => {
  const refusal = error instanceof BundleError ? error.refusal : 'failed-probe';
  return { ok: false, refusal, reason: error instanceof Error ? error.message : String(error) };
});
process.stdout.write(`${JSON.stringify(reply)}\n`, () => process.exit(0)); // native threads would keep it alive
