/** The packets that are metered next, decoded a block at a time: what they are, and which conversation they belong to. */
import type { Chunk } from '../capture/packet-source.ts';
import { decodePacket } from '../packet/decode-packet.ts';
import { field, fieldCount, outcome, type PacketFields } from '../packet/packet-fields.ts';
import { hashKey, keyWords, writeKey } from './flow-key.ts';
import type { FlowEndings, FlowSemantics } from './flow-semantics.ts';
import { fetchPackets } from './flow-table.ts';

const p = field;
const decoded = outcome.decoded;

/** Where the key stands in the row of a packet; see `PacketFields`. */
export const packetKey = fieldCount;
/** Integers in the row of a packet: the fields and the key, which are two lines of the processor's cache. */
export const packetInts = fieldCount + keyWords;

const keyAt = packetKey;
const rowInts = packetInts;

/** Packets in a block. */
export const blockPackets = fetchPackets;

/** Columns of one block, written again for the next. All but `outcomes` only count where the packet was decoded. */
export class Arrivals {
  /** What came of each packet, see `outcome`. */
  readonly outcomes = new Uint8Array(blockPackets);
  /** `packetInts` per packet: its fields, and its key behind them. */
  readonly packets: PacketFields = new Int32Array(blockPackets * rowInts);
  readonly hashes = new Int32Array(blockPackets);
  /** 1 where the packet's source is the smaller end of the conversation. */
  readonly sourceIsLow = new Uint8Array(blockPackets);
  /** Profile's protocol by IP protocol. */
  readonly #protocols: Uint8Array;
  readonly #fragmentsApart: boolean;
  readonly #hashSeed: number;
  #view = new DataView(new ArrayBuffer(0));

  constructor(semantics: FlowSemantics, endings: FlowEndings, hashSeed: number) {
    const isLive = endings === 'live';
    this.#protocols = Uint8Array.from({ length: 256 }, (_, protocol) =>
      isLive || semantics.protocols.has(protocol) ? protocol : 0,
    );
    this.#fragmentsApart = !isLive;
    this.#hashSeed = hashSeed | 0;
  }

  /** Decode `count` packets of a chunk from its row `first` on. */
  decode(chunk: Chunk, first: number, count: number): void {
    const { bytes, offsets, lengths, wireLengths, linkTypes } = chunk;
    if (this.#view.buffer !== bytes.buffer || this.#view.byteOffset !== bytes.byteOffset) {
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    const view = this.#view;
    const { outcomes, packets, hashes, sourceIsLow } = this;
    for (let i = 0; i < count; i++) {
      const from = first + i;
      const row = i * rowInts;
      const came = decodePacket(
        bytes,
        view,
        offsets[from]!,
        lengths[from]!,
        wireLengths[from]!,
        linkTypes[from]!,
        packets,
        row,
      );
      outcomes[i] = came;
      if (came !== decoded) continue;
      const isLaterFragment = packets[row + p.laterFragment] === 1;
      const protocol = isLaterFragment && this.#fragmentsApart ? 0 : this.#protocols[packets[row + p.protocol]!]!;
      sourceIsLow[i] = writeKey(packets, row, protocol, packets, row + keyAt) ? 1 : 0;
      hashes[i] = hashKey(packets, row + keyAt, this.#hashSeed);
    }
  }
}
