/** What must hold of a capture file that is read in pieces: the rows, the error at its end, and that pieces do not matter. */
import { CaptureError } from '../capture/capture-error.ts';
import { type Chunk, latestUs, maxWireBytes } from '../capture/packet-source.ts';
import { PcapStream } from '../capture/pcap-stream.ts';
import { Digest, holds } from './oracle.ts';
import type { SeededRandom } from './seeded-random.ts';

const maxFrameBytes = 524_288;

export interface CaptureReading {
  readonly rows: number;
  /** Of all rows in order. */
  readonly digest: number;
  readonly error: CaptureError | undefined;
}

/**
 * Read `bytes` in pieces of random sizes.
 * @throws {OracleFailure} when a row or the error is not as promised, and whatever else the stream throws
 */
export function readCapture(
  bytes: Uint8Array,
  random: SeededRandom,
  onChunk: (chunk: Chunk) => void = () => undefined,
): CaptureReading {
  const name = 'fuzz.pcap';
  const stream = new PcapStream(name);
  const digest = new Digest();
  const most = random.pick([bytes.length > 300_000 ? 200 : 3, 40, 700, 70_000, 2_000_000]);
  let rows = 0;
  let error: CaptureError | undefined;
  try {
    for (let at = 0; at < bytes.length;) {
      const room = stream.room();
      holds('room', room.length > 0, () => `no room at byte ${at}`);
      const piece = bytes.subarray(at, at + Math.min(random.between(1, most), room.length));
      room.set(piece);
      stream.filled(piece.length);
      at += piece.length;
      for (let chunk = stream.next(); chunk !== undefined; chunk = stream.next()) {
        checkChunk(chunk, bytes.length, digest);
        rows += chunk.count;
        onChunk(chunk);
      }
    }
    stream.end();
  } catch (thrown) {
    if (!(thrown instanceof CaptureError)) throw thrown;
    error = thrown;
    checkError(error, name, bytes.length);
  }
  return { rows, digest: digest.value, error };
}

function checkChunk(chunk: Chunk, fileBytes: number, digest: Digest): void {
  const { count, bytes, offsets, lengths, wireLengths, timesUs, linkTypes } = chunk;
  holds('chunk-rows', count > 0 && count <= offsets.length, () => `${count} rows`);
  for (let row = 0; row < count; row++) {
    const [offset, length, wireLength, timeUs] = [offsets[row]!, lengths[row]!, wireLengths[row]!, timesUs[row]!];
    const text = (): string => `row ${row}: offset ${offset}, length ${length}, wire ${wireLength}, time ${timeUs}`;
    holds('frame-in-buffer', offset + length <= bytes.length && length <= Math.min(maxFrameBytes, fileBytes), text);
    holds('wire-length-bounded', wireLength <= maxWireBytes, text);
    holds('time-whole', Number.isSafeInteger(timeUs) && timeUs >= 0 && timeUs <= latestUs, text);
    digest.add(length);
    digest.add(wireLength);
    digest.add(timeUs);
    digest.add(linkTypes[row]!);
    digest.addBytes(bytes.subarray(offset, offset + length));
  }
}

/** Names the file, the byte, and what to do. */
function checkError(error: CaptureError, name: string, fileBytes: number): void {
  const { message, byteOffset } = error;
  holds(
    'error-offset',
    byteOffset !== undefined && byteOffset >= 0 && byteOffset <= fileBytes,
    () => `${message} (${byteOffset})`,
  );
  holds(
    'error-names-place',
    message.includes(name) && message.includes(`byte ${byteOffset}`),
    () => `${message} (${byteOffset})`,
  );
  holds(
    'error-says-what-to-do',
    /capture it again|cut the file|give a|unpack it|convert it/.test(message),
    () => message,
  );
}
