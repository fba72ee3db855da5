/** Runs a detect graph over any number of windows, in blocks. */
import { featureCount, windowLength } from '@picket/shared/features/feature-schema';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { classCount } from './cnn-lstm.ts';

const blockSize = 512;

/** Probabilities, count × classes. */
export async function scoreWindows(
  model: Buffer,
  input: { readonly count: number; readonly windows: Float32Array; readonly flowsSeen: Float32Array },
): Promise<Float32Array> {
  const session = await InferenceSession.create(model, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    logSeverityLevel: 3,
  });
  const size = windowLength * featureCount;
  const probabilities = new Float32Array(input.count * classCount);
  for (let from = 0; from < input.count; from += blockSize) {
    const to = Math.min(input.count, from + blockSize);
    const result = await session.run({
      windows: new Tensor('float32', input.windows.subarray(from * size, to * size), [
        to - from,
        windowLength,
        featureCount,
      ]),
      flows_seen: new Tensor('float32', input.flowsSeen.subarray(from, to), [to - from]),
    });
    probabilities.set(result['probabilities']!.data as Float32Array, from * classCount);
  }
  await session.release();
  return probabilities;
}
