/** Hands chunks from one thread to another through shared memory: how two threads would share the meter's work. */
import type { Chunk } from '../../agent/src/capture/packet-source.ts';

const places = 8;
const placeBytes = 4 << 20;
const placeRows = 65_536;
/** Bytes of columns per row: offset, length, wire length, time. */
const rowBytes = 4 + 4 + 4 + 8;

export interface SharedRing {
  readonly memory: SharedArrayBuffer;
  /** Chunks written, chunks read, 1 at the end; then rows per place. */
  readonly counts: Int32Array<SharedArrayBuffer>;
}

export function createRing(): SharedRing {
  return {
    memory: new SharedArrayBuffer(places * (placeBytes + placeRows * rowBytes)),
    counts: new Int32Array(new SharedArrayBuffer((3 + places) * 4)),
  };
}

interface Place {
  readonly bytes: Uint8Array<SharedArrayBuffer>;
  readonly times: Float64Array<SharedArrayBuffer>;
  readonly columns: readonly [
    Uint32Array<SharedArrayBuffer>,
    Uint32Array<SharedArrayBuffer>,
    Uint32Array<SharedArrayBuffer>,
  ];
}

function placesOf({ memory }: SharedRing): readonly Place[] {
  return Array.from({ length: places }, (_, index) => {
    const at = index * (placeBytes + placeRows * rowBytes);
    const column = (turn: number) => new Uint32Array(memory, at + placeBytes + placeRows * (8 + turn * 4), placeRows);
    return {
      bytes: new Uint8Array(memory, at, placeBytes),
      times: new Float64Array(memory, at + placeBytes, placeRows),
      columns: [column(0), column(1), column(2)] as const,
    };
  });
}

/** Copy every chunk into the ring; waits while it is full. Ethernet only. */
export async function fillRing(ring: SharedRing, chunks: AsyncIterable<Chunk>): Promise<void> {
  const all = placesOf(ring);
  let written = 0;
  for await (const chunk of chunks) {
    for (let taken = Atomics.load(ring.counts, 1); written - taken === places; taken = Atomics.load(ring.counts, 1)) {
      Atomics.wait(ring.counts, 1, taken);
    }
    const { bytes, times, columns } = all[written % places]!;
    const { count, offsets } = chunk;
    const first = offsets[0]!;
    const end = offsets[count - 1]! + chunk.lengths[count - 1]!;
    if (count > placeRows || end - first > placeBytes) throw new RangeError('a chunk is larger than a place');
    bytes.set(chunk.bytes.subarray(first, end));
    for (let row = 0; row < count; row++) columns[0][row] = offsets[row]! - first;
    columns[1].set(chunk.lengths.subarray(0, count));
    columns[2].set(chunk.wireLengths.subarray(0, count));
    times.set(chunk.timesUs.subarray(0, count));
    ring.counts[3 + (written % places)] = count;
    Atomics.store(ring.counts, 0, ++written);
    Atomics.notify(ring.counts, 0);
  }
  Atomics.store(ring.counts, 2, 1);
  Atomics.notify(ring.counts, 0);
}

/** Chunks as they come, until the other side is at its end; waits in this thread. */
export function* drainRing(ring: SharedRing): Generator<Chunk, void, void> {
  const all = placesOf(ring);
  const linkTypes = new Uint16Array(placeRows).fill(1);
  for (let taken = 0; ;) {
    let written = Atomics.load(ring.counts, 0);
    while (written === taken) {
      if (Atomics.load(ring.counts, 2) === 1 && Atomics.load(ring.counts, 0) === taken) return;
      Atomics.wait(ring.counts, 0, written, 10);
      written = Atomics.load(ring.counts, 0);
    }
    const { bytes, times, columns } = all[taken % places]!;
    const [offsets, lengths, wireLengths] = columns;
    const shared = { count: ring.counts[3 + (taken % places)]!, bytes, offsets, lengths, wireLengths, timesUs: times };
    // The meter only reads and writes elements, which shared memory lets it.
    yield { ...shared, linkTypes } as unknown as Chunk;
    Atomics.store(ring.counts, 1, ++taken);
    Atomics.notify(ring.counts, 1);
  }
}
