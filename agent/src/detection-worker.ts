/**
 * The detection thread: windows in, predictions out. onnxruntime's `run` is a synchronous native call, so it must not
 * share a thread with packets or with the link.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { BatchMailbox, emptyBatch } from './detection/batch-mailbox.ts';
import { openModelBundle } from './detection/model-bundle.ts';
import { OnnxDetector } from './detection/onnx-detector.ts';
import { collectGarbage } from './memory-plan.ts';
import type { DetectionReply, DetectionRequest, DetectionWorkerData } from './worker-detector.ts';

if (parentPort === null) throw new Error('detection-worker.ts is a worker thread, not a program');
const port = parentPort;

const { bundle: folder, trust, expected, mailbox: buffers } = workerData as DetectionWorkerData;
const mailbox = new BatchMailbox(buffers);
/** onnxruntime takes no shared memory. */
const taken = emptyBatch();
const detector = await OnnxDetector.open(await openModelBundle(folder, trust, expected));
collectGarbage(true); // what loading needed; this thread allocates too little for it to be collected by itself
port.postMessage({
  type: 'ready',
  manifest: detector.manifest,
  reference: detector.reference,
} satisfies DetectionReply);

port.on('message', (request: DetectionRequest) => {
  if (request.type === 'close') {
    // what onnxruntime holds is given back first; with nothing left to listen to the thread ends
    void detector[Symbol.asyncDispose]().finally(() => port.close());
    return;
  }
  void answer(request).then(
    (reply) => port.postMessage(reply),
    (error: unknown) =>
      port.postMessage({ type: 'failed', id: request.id, reason: String(error) } satisfies DetectionReply),
  );
});

async function answer(request: Exclude<DetectionRequest, { readonly type: 'close' }>): Promise<DetectionReply> {
  if (request.type === 'explain') {
    return {
      type: 'explained',
      id: request.id,
      attributions: await detector.explain(request.window),
    };
  }
  const batch = mailbox.take(request.count, taken);
  return { type: 'detected', id: request.id, detection: await detector.detect(batch) };
}
