/**
 * The packets of a made capture before they are bytes: columns, so that a million of them in the order of their
 * conversations are sorted by time in a second and a few megabytes.
 */

export const packetKind = { tcp4: 0, udp4: 1, tcp6: 2, udp6: 3, icmp4: 4, arp: 5 } as const;
export type PacketKind = (typeof packetKind)[keyof typeof packetKind];

export interface Packet {
  /** µs since the capture began. */
  readonly timeUs: number;
  readonly kind: PacketKind;
  /** As IPv4 numbers; an IPv6 address is made of one. */
  readonly src: number;
  readonly dst: number;
  readonly srcPort: number;
  readonly dstPort: number;
  /** Behind the transport header. */
  readonly payload: number;
  /** TCP flag byte; ICMP type; ARP operation. */
  readonly flags: number;
  readonly sequence: number;
  readonly acknowledged: number;
  readonly window: number;
  /** TCP only: carry the 12 bytes of the time stamp option. */
  readonly stamped: boolean;
}

/** Times below 2^31 µs and row numbers below 2^21 share the 53 bits of a double, which sorts without a comparison. */
const rowBits = 2 ** 21;

export class PacketColumns {
  readonly #capacity: number;
  readonly #order: Float64Array;
  readonly #kinds: Uint8Array;
  readonly #words: Uint32Array;
  #count = 0;

  constructor(capacity: number) {
    if (capacity > rowBits) throw new RangeError(`at most ${rowBits} packets fit, not ${capacity}`);
    this.#capacity = capacity;
    this.#order = new Float64Array(capacity);
    this.#kinds = new Uint8Array(capacity);
    this.#words = new Uint32Array(capacity * 7);
  }

  get count(): number {
    return this.#count;
  }

  get full(): boolean {
    return this.#count === this.#capacity;
  }

  /** Add a packet; what comes after the last place is left out. */
  add(packet: Packet): void {
    if (this.full) return;
    const row = this.#count++;
    this.#order[row] = packet.timeUs * rowBits + row;
    this.#kinds[row] = packet.kind | (packet.stamped ? 0x80 : 0);
    const at = row * 7;
    this.#words[at] = packet.src;
    this.#words[at + 1] = packet.dst;
    this.#words[at + 2] = (packet.srcPort << 16) | packet.dstPort;
    this.#words[at + 3] = (packet.payload << 8) | packet.flags;
    this.#words[at + 4] = packet.sequence;
    this.#words[at + 5] = packet.acknowledged;
    this.#words[at + 6] = packet.window;
  }

  /** All packets in the order of their times; equal times in the order in which they were added. */
  *inOrder(): Generator<Packet, void, void> {
    const order = this.#order.subarray(0, this.#count).sort();
    for (const key of order) {
      const row = key % rowBits;
      const at = row * 7;
      const ports = this.#words[at + 2]!;
      const size = this.#words[at + 3]!;
      yield {
        timeUs: Math.floor(key / rowBits),
        kind: (this.#kinds[row]! & 0x7f) as PacketKind,
        src: this.#words[at]!,
        dst: this.#words[at + 1]!,
        srcPort: ports >>> 16,
        dstPort: ports & 0xffff,
        payload: size >>> 8,
        flags: size & 0xff,
        sequence: this.#words[at + 4]!,
        acknowledged: this.#words[at + 5]!,
        window: this.#words[at + 6]!,
        stamped: this.#kinds[row]! >= 0x80,
      };
    }
  }
}
