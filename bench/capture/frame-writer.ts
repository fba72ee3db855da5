/** Turns a packet of the columns into an Ethernet frame, in place, with the checksums a network card would have set. */
import { tcpFlag } from '../../agent/src/packet/packet-fields.ts';
import { type Packet, packetKind } from './packet-columns.ts';
import type { Random } from './random.ts';

const ethernetHeader = 14;
const shortestFrame = 60;
/** Ethernet, IPv6, TCP with options, and a full segment. */
export const longestFrame = ethernetHeader + 40 + 60 + 1460;

const payloadPool = 4096;

export class FrameWriter {
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  readonly #payload = new Uint8Array(payloadPool);
  #identification = 0;

  /** Frames are written into `view`. */
  constructor(view: DataView, random: Random) {
    this.#view = view;
    this.#bytes = new Uint8Array(view.buffer);
    for (let at = 0; at < payloadPool; at++) this.#payload[at] = random.word();
  }

  /** Write the frame at `start`; its length. */
  write(packet: Packet, start: number): number {
    this.#mac(start, packet.dst);
    this.#mac(start + 6, packet.src);
    const end = this.#body(packet, start);
    if (end - start >= shortestFrame) return end - start;
    this.#bytes.fill(0, end, start + shortestFrame);
    return shortestFrame;
  }

  #body(packet: Packet, start: number): number {
    const network = start + ethernetHeader;
    if (packet.kind === packetKind.arp) return this.#arp(packet, start);
    const isIpv6 = packet.kind === packetKind.tcp6 || packet.kind === packetKind.udp6;
    const transport = network + (isIpv6 ? 40 : 20);
    const { protocol, end } = this.#transport(packet, transport);
    this.#view.setUint16(start + 12, isIpv6 ? 0x86dd : 0x0800);
    if (isIpv6) this.#ipv6(packet, network, protocol, end - transport);
    else this.#ipv4(packet, network, protocol, end - network);
    this.#transportChecksum(packet, transport, end, isIpv6 ? network + 8 : network + 12, protocol);
    return end;
  }

  #transport(packet: Packet, at: number): { protocol: number; end: number } {
    const view = this.#view;
    if (packet.kind === packetKind.icmp4) {
      view.setUint32(at, packet.flags << 24);
      view.setUint16(at + 4, packet.srcPort);
      view.setUint16(at + 6, packet.dstPort);
      return { protocol: 1, end: this.#data(packet, at + 8) };
    }
    view.setUint16(at, packet.srcPort);
    view.setUint16(at + 2, packet.dstPort);
    if (packet.kind === packetKind.udp4 || packet.kind === packetKind.udp6) {
      view.setUint16(at + 4, 8 + packet.payload);
      view.setUint16(at + 6, 0);
      return { protocol: 17, end: this.#data(packet, at + 8) };
    }
    const headerBytes = this.#tcpOptions(packet, at + 20) - at;
    view.setUint32(at + 4, packet.sequence);
    view.setUint32(at + 8, packet.acknowledged);
    view.setUint16(at + 12, ((headerBytes / 4) << 12) | packet.flags);
    view.setUint16(at + 14, packet.window);
    view.setUint32(at + 16, 0);
    return { protocol: 6, end: this.#data(packet, at + headerBytes) };
  }

  /** Segment size on a SYN; time stamps (and window scale on a SYN) where the connection has them. */
  #tcpOptions(packet: Packet, from: number): number {
    const view = this.#view;
    const isSyn = (packet.flags & tcpFlag.syn) !== 0;
    let at = from;
    if (isSyn) {
      view.setUint32(at, 0x020405b4);
      at += 4;
    }
    if (!packet.stamped) return at;
    view.setUint32(at, isSyn ? 0x0402080a : 0x0101080a);
    view.setUint32(at + 4, Math.floor(packet.timeUs / 1000));
    view.setUint32(at + 8, isSyn ? 0 : 1);
    at += 12;
    if (!isSyn) return at;
    view.setUint32(at, 0x01030307);
    return at + 4;
  }

  #data(packet: Packet, at: number): number {
    const from = packet.sequence % (payloadPool - 1500);
    this.#bytes.set(this.#payload.subarray(from, from + packet.payload), at);
    return at + packet.payload;
  }

  #ipv4(packet: Packet, at: number, protocol: number, length: number): void {
    const view = this.#view;
    this.#identification = (this.#identification + 1) & 0xffff;
    view.setUint16(at, 0x4500);
    view.setUint16(at + 2, length);
    view.setUint16(at + 4, this.#identification);
    view.setUint16(at + 6, 0x4000);
    view.setUint16(at + 8, (64 << 8) | protocol);
    view.setUint16(at + 10, 0);
    view.setUint32(at + 12, packet.src);
    view.setUint32(at + 16, packet.dst);
    view.setUint16(at + 10, this.#checksum(at, at + 20, 0));
  }

  #ipv6(packet: Packet, at: number, protocol: number, length: number): void {
    const view = this.#view;
    view.setUint32(at, 0x60000000);
    view.setUint16(at + 4, length);
    view.setUint16(at + 6, (protocol << 8) | 64);
    this.#ipv6Address(at + 8, packet.src);
    this.#ipv6Address(at + 24, packet.dst);
  }

  /** 2001:db8::/32 is for documentation. */
  #ipv6Address(at: number, address: number): void {
    this.#bytes.fill(0, at, at + 16);
    this.#view.setUint32(at, 0x20010db8);
    this.#view.setUint32(at + 12, address);
  }

  #transportChecksum(packet: Packet, at: number, end: number, addresses: number, protocol: number): void {
    const place = at + (protocol === 6 ? 16 : protocol === 17 ? 6 : 2);
    let pseudoHeader = 0;
    if (packet.kind !== packetKind.icmp4) {
      pseudoHeader = protocol + (end - at);
      for (let word = addresses; word < at; word += 2) pseudoHeader += this.#view.getUint16(word);
    }
    const sum = this.#checksum(at, end, pseudoHeader);
    this.#view.setUint16(place, sum === 0 && protocol === 17 ? 0xffff : sum);
  }

  #arp(packet: Packet, start: number): number {
    const view = this.#view;
    const at = start + ethernetHeader;
    view.setUint16(start + 12, 0x0806);
    view.setUint32(at, 0x00010800);
    view.setUint16(at + 4, 0x0604);
    view.setUint16(at + 6, packet.flags);
    this.#mac(at + 8, packet.src);
    view.setUint32(at + 14, packet.src);
    this.#mac(at + 18, packet.dst);
    view.setUint32(at + 24, packet.dst);
    return at + 28;
  }

  /** Of our own making, from the address. */
  #mac(at: number, address: number): void {
    this.#view.setUint16(at, 0x0200);
    this.#view.setUint32(at + 2, address);
  }

  /** RFC 1071 over an even start. */
  #checksum(from: number, to: number, initial: number): number {
    let sum = initial;
    let at = from;
    for (; at + 1 < to; at += 2) sum += this.#view.getUint16(at);
    if (at < to) sum += this.#bytes[at]! << 8;
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
    return ~sum & 0xffff;
  }
}
