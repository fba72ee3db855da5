/**
 * The packet thread: capture bytes to flows with features. It alone runs per packet, and nothing behind it can make a
 * live capture wait.
 */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { startThroughDoor } from './capture/capture-door-client.ts';
import { CaptureError } from './capture/capture-error.ts';
import type { PacketSource } from './capture/packet-source.ts';
import { PcapFileSource } from './capture/pcap-file-source.ts';
import { TcpdumpPacketSource } from './capture/tcpdump-packet-source.ts';
import type { AgentErrorCode } from './errors.ts';
import { flowBatchBuffers, type FlowBatch } from './features/flow-batch.ts';
import { FlowMeter } from './features/flow-meter.ts';
import { inlineDeeply } from './features/inline-deeply.ts';
import type { PacketCounters, PacketWorkerData, PacketWorkerMessage, PacketWorkerRequest } from './packet-stage.ts';

if (parentPort === null) throw new Error('packet-worker.ts is a worker thread, not a program');
const port = parentPort;
const {
  capture,
  captureDoor,
  flowCapacity,
  reportPace,
  profile,
  credits: initialCredits,
  bell,
} = workerData as PacketWorkerData;

/** How often a silent interface's time is moved on, and counters are told. */
const tickMs = 250;
/** A packet may be this long under way to us: a flow whose deadline is nearer is not reported before it. */
const settleMs = 250;
/** How long to sleep at most without looking whether a request came. */
const bellMs = 100;

const stop = new AbortController();
const isLive = capture.source === 'live';
const credits = { left: initialCredits };
let creditCame: (() => void) | undefined;
let droppedFlows = 0;
/** Drops of sources that are already closed. */
let dropsBefore = { kernel: 0, restarts: 0 };
let source: PacketSource | undefined;

if (isLive) inlineDeeply();
const meter = FlowMeter.create({ profile, endings: 'live', capacity: flowCapacity, reportPace }, (batch) =>
  handOver(batch),
);

port.on('message', serve);

function serve(request: PacketWorkerRequest): void {
  if (request.type === 'stop') {
    stop.abort();
  } else {
    meter.giveBack(request.batch);
    credits.left += 1;
  }
  creditCame?.();
}

function post(message: PacketWorkerMessage, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer);
}

/**
 * A live interface never waits: without a credit the batch is dropped and counted. A file does, and so does the last
 * word of an interface that is no longer watched: there may be more flows open than credits.
 */
function handOver(batch: FlowBatch): void {
  if (credits.left <= 0 && isLive && !stop.signal.aborted) {
    droppedFlows += batch.count;
    meter.giveBack(batch);
    return;
  }
  while (credits.left <= 0) sleepUntilRequest();
  credits.left -= 1;
  post({ type: 'flows', batch }, flowBatchBuffers(batch));
}

/** In the middle of a call of the meter, so without the event loop. */
function sleepUntilRequest(): void {
  const rung = Atomics.load(bell, 0);
  const received: { readonly message: PacketWorkerRequest } | undefined = receiveMessageOnPort(port);
  if (received !== undefined) serve(received.message);
  else Atomics.wait(bell, 0, rung, bellMs);
}

/** A batch that is not full may wait for more while the main thread is behind: it would use up a credit all the same. */
function flush(): void {
  if (credits.left > initialCredits / 2) meter.flush();
}

async function untilCredit(): Promise<void> {
  const mayGoOn = (): boolean => credits.left > 0 || stop.signal.aborted;
  while (!mayGoOn()) {
    await new Promise<void>((resolve) => (creditCame = resolve));
  }
}

function counters(): PacketCounters {
  const { packets, bytes, undecodable, flows, reports, active, evicted, latePackets, timeSteps } = meter.counters;
  const drops = source?.drops();
  return {
    packets,
    bytes,
    undecodable,
    flows,
    reports,
    evicted,
    latePackets,
    timeSteps,
    droppedFlows,
    activeFlows: active,
    droppedKernel: dropsBefore.kernel + (drops === undefined ? 0 : drops.kernel + drops.interface),
    restarts: dropsBefore.restarts + (drops?.restarts ?? 0),
    ...(source instanceof PcapFileSource ? { input: source.progress } : {}),
  };
}

/** By what an operator can do about it. */
const codeOf: Readonly<Record<CaptureError['code'], AgentErrorCode>> = {
  'not-a-capture': 'bad-data',
  truncated: 'bad-data',
  corrupt: 'bad-data',
  'not-found': 'no-input',
  'not-permitted': 'no-permission',
  'tool-missing': 'unavailable',
  'capture-failed': 'unavailable',
};

async function meterSource(opened: PacketSource): Promise<void> {
  await using current = opened;
  source = current;
  post({ type: 'opened' });
  let lastPacketMs = performance.now(); // a clock that nobody sets
  /** On a silent interface packet time stands still, and flows would never be reported or end. */
  const passTime = (): void => {
    if (performance.now() - lastPacketMs <= tickMs || source !== current) return;
    const nowMs = Date.now();
    meter.advanceTo((nowMs - settleMs) * 1000);
    flush();
    post({ type: 'quiet', nowUs: nowMs * 1000 });
  };
  const tick = setInterval(() => {
    if (isLive) setImmediate(passTime); // what has arrived is metered first
    post({ type: 'counters', counters: counters() });
  }, tickMs);
  try {
    for await (const chunk of current.chunks(stop.signal)) {
      lastPacketMs = performance.now();
      meter.add(chunk);
      flush();
      if (!isLive) await untilCredit();
    }
  } finally {
    clearInterval(tick);
    const drops = current.drops();
    dropsBefore = {
      kernel: dropsBefore.kernel + drops.kernel + drops.interface,
      restarts: dropsBefore.restarts + drops.restarts,
    };
    source = undefined;
  }
}

async function meterAll(): Promise<void> {
  if (capture.source === 'live') {
    await meterSource(
      await TcpdumpPacketSource.open({
        interface: capture.interface,
        snapLength: capture.snap_length,
        ringKib: capture.ring_kib,
        filter: capture.filter,
        onWarning: (text) => post({ type: 'warning', text }),
        ...(captureDoor === undefined ? {} : { start: (request) => startThroughDoor(captureDoor, request) }),
      }),
    );
    return;
  }
  for (const file of capture.files) {
    if (stop.signal.aborted) return;
    await meterSource(
      await PcapFileSource.open(file, {
        pace: capture.speed,
        ...(capture.rebase ? { rebaseToUs: Date.now() * 1000 } : {}),
      }),
    );
  }
}

try {
  await meterAll();
  meter.finish();
  post({ type: 'end', counters: counters() });
} catch (error) {
  meter.finish(); // what was read before counts
  post({
    type: 'failed',
    code: error instanceof CaptureError ? codeOf[error.code] : undefined,
    message: error instanceof CaptureError ? error.message : String((error as Error).stack ?? error),
    counters: counters(),
  });
}
port.unref();
