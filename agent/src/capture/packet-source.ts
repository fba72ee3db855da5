/**
 * PORT. Where packets come from: a file, a network interface, a recipe. Packets travel in chunks, so that nothing is
 * allocated, awaited or called per packet.
 */

/** Latest packet time, µs since 1970: the year 2255. Later ones are hostile, and would lose their µs. */
export const latestUs = Number.MAX_SAFE_INTEGER;

/** Longest frame on the wire: twice what segmentation offloads put together. A file may claim 4 GiB. */
export const maxWireBytes = 1_048_576;

/**
 * Many captured frames and an index of them, as columns of `count` rows (a column may be longer). It is lent: its bytes
 * and columns are overwritten once the next chunk is asked for.
 */
export interface Chunk {
  readonly count: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Where each frame begins in `bytes`. */
  readonly offsets: Uint32Array<ArrayBuffer>;
  /** Captured bytes of each frame; `offsets[i] + lengths[i]` never passes the end of `bytes`. */
  readonly lengths: Uint32Array<ArrayBuffer>;
  /** Bytes each frame had on the wire, which may be more or fewer than were captured; at most `maxWireBytes`. */
  readonly wireLengths: Uint32Array<ArrayBuffer>;
  /** Packet time, whole µs since 1970, from 0 to `latestUs`. */
  readonly timesUs: Float64Array<ArrayBuffer>;
  /** LINKTYPE_ number of each frame (https://www.tcpdump.org/linktypes.html). */
  readonly linkTypes: Uint16Array<ArrayBuffer>;
}

/** What was lost before a chunk could be made of it; totals since the source was opened. */
export interface CaptureDrops {
  /** Packets that the kernel dropped because the capture process did not keep up. */
  readonly kernel: number;
  /** Packets that the interface or its driver dropped. */
  readonly interface: number;
  /** How often the capture had to be started again. */
  readonly restarts: number;
}

export interface PacketSource extends AsyncDisposable {
  /** For people and health: the interface or the file. */
  readonly name: string;
  /**
   * Chunks until the input ends or the signal aborts (which ends the iteration quietly). Iterate once, one chunk at a
   * time.
   * @throws {CaptureError} when the input cannot be read on; every whole record before that place has been delivered
   */
  chunks(signal: AbortSignal): AsyncIterable<Chunk>;
  drops(): CaptureDrops;
}
