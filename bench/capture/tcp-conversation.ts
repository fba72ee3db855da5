/** One TCP connection of a made capture: what each end says, with sequence numbers and the pauses of a real network. */
import { tcpFlag } from '../../agent/src/packet/packet-fields.ts';
import { type PacketColumns, packetKind } from './packet-columns.ts';
import type { Random } from './random.ts';

const { fin, syn, rst, psh, ack } = tcpFlag;

interface End {
  readonly address: number;
  readonly port: number;
  sequence: number;
  readonly synWindow: number;
  readonly window: number;
}

export class TcpConversation {
  readonly #random: Random;
  readonly #packets: PacketColumns;
  readonly #client: End;
  readonly #server: End;
  readonly #kind: typeof packetKind.tcp4 | typeof packetKind.tcp6;
  readonly #roundTripUs: number;
  readonly #stamped: boolean;
  readonly #segment: number;
  #timeUs: number;

  private constructor(random: Random, packets: PacketColumns, timeUs: number, client: End, server: End) {
    this.#random = random;
    this.#packets = packets;
    this.#timeUs = timeUs;
    this.#client = client;
    this.#server = server;
    const ipv6 = random.chance(0.04);
    this.#kind = ipv6 ? packetKind.tcp6 : packetKind.tcp4;
    this.#segment = ipv6 ? 1428 : 1448;
    this.#roundTripUs = random.between(400, 60_000);
    this.#stamped = random.chance(0.55);
  }

  static toServer(
    random: Random,
    packets: PacketColumns,
    timeUs: number,
    client: number,
    server: number,
    serverPort: number,
  ): TcpConversation {
    const clientPort = random.between(32_768, 60_999);
    return new TcpConversation(
      random,
      packets,
      timeUs,
      { address: client, port: clientPort, sequence: random.word(), synWindow: 64_240, window: 501 },
      { address: server, port: serverPort, sequence: random.word(), synWindow: 65_160, window: 510 },
    );
  }

  wait(us: number): void {
    this.#timeUs += us;
  }

  open(): void {
    this.knock();
    this.#timeUs += this.#roundTripUs;
    this.#send(this.#server, this.#client, 0, syn | ack);
    this.acknowledge();
  }

  /** A first packet, whatever comes of it. */
  knock(): void {
    this.#send(this.#client, this.#server, 0, syn);
  }

  refuse(): void {
    this.#timeUs += this.#random.between(100, 900);
    this.#send(this.#server, this.#client, 0, rst | ack);
  }

  /** The answer to a first packet whose sender never comes back. */
  welcome(): void {
    this.#timeUs += this.#random.between(80, 900);
    this.#send(this.#server, this.#client, 0, syn | ack);
  }

  acknowledge(): void {
    this.#timeUs += this.#random.between(30, 400);
    this.#send(this.#client, this.#server, 0, ack);
  }

  /** One message of the client. */
  say(bytes: number): void {
    this.#send(this.#client, this.#server, bytes, psh | ack);
  }

  /** One message of the server, a round trip later; 0 is a bare acknowledgement. */
  hear(bytes: number): void {
    this.#timeUs += this.#roundTripUs;
    this.#send(this.#server, this.#client, bytes, bytes === 0 ? ack : psh | ack);
  }

  /** Segments of the server, every second one acknowledged. */
  download(bytes: number): void {
    this.#timeUs += this.#roundTripUs;
    this.#transfer(this.#server, this.#client, bytes, 40);
  }

  upload(bytes: number): void {
    this.#transfer(this.#client, this.#server, bytes, 900);
  }

  /** Most connections end in order, some are reset, some are never ended. */
  close(): void {
    const way = this.#random.fraction();
    this.#timeUs += this.#random.between(50, 2000);
    if (way < 0.12) this.#send(this.#client, this.#server, 0, rst | ack);
    if (way < 0.18) return;
    this.#send(this.#client, this.#server, 0, fin | ack);
    this.#timeUs += this.#roundTripUs;
    this.#send(this.#server, this.#client, 0, fin | ack);
    this.acknowledge();
  }

  #transfer(from: End, to: End, bytes: number, acknowledgedWithinUs: number): void {
    for (let left = bytes, segments = 1; left > 0; segments++) {
      const size = Math.min(this.#segment, left);
      left -= size;
      this.#timeUs += this.#random.chance(0.15) ? this.#random.between(200, 4000) : this.#random.between(8, 80);
      this.#send(from, to, size, left > 0 ? ack : psh | ack);
      if (segments % 2 !== 0) continue;
      this.#timeUs += this.#random.between(5, acknowledgedWithinUs);
      this.#send(to, from, 0, ack);
    }
  }

  #send(from: End, to: End, payload: number, flags: number): void {
    this.#packets.add({
      timeUs: this.#timeUs,
      kind: this.#kind,
      src: from.address,
      dst: to.address,
      srcPort: from.port,
      dstPort: to.port,
      payload,
      flags,
      sequence: from.sequence,
      acknowledged: (flags & ack) === 0 ? 0 : to.sequence,
      window: (flags & syn) === 0 ? from.window : from.synWindow,
      stamped: this.#stamped,
    });
    from.sequence = (from.sequence + payload + ((flags & (syn | fin)) === 0 ? 0 : 1)) >>> 0;
  }
}
