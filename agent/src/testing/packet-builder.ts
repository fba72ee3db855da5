/** Frames and captures made in a test, byte by byte and the same every time. Checksums are right where there are any. */
import ipaddr from 'ipaddr.js';
import type { Chunk } from '../capture/packet-source.ts';

export interface Ends {
  readonly src: string;
  readonly dst: string;
  readonly srcPort?: number;
  readonly dstPort?: number;
}

export interface FrameOptions {
  /** 802.1Q tags, outermost first. */
  readonly vlans?: readonly number[];
  /** Fill up to the 60 bytes of an Ethernet frame; default true. */
  readonly pad?: boolean;
  readonly srcMac?: string;
  readonly dstMac?: string;
  /** Bytes of IPv4 options, a multiple of 4. */
  readonly ipOptions?: Uint8Array;
  /** IPv4 flags and fragment offset as they stand in the header; default: don't fragment. */
  readonly fragment?: number;
  /** What the IP header says, if not the truth. */
  readonly ipLength?: number;
  /** IPv6 extension headers: protocol number and content (length a multiple of 8). */
  readonly extensions?: readonly (readonly [number, Uint8Array])[];
}

export interface TcpOptions extends FrameOptions {
  /** Letters of FSRPAUEC. */
  readonly flags: string;
  /** Bytes of payload. */
  readonly payload?: number | Uint8Array;
  readonly window?: number;
  /** Bytes of TCP options, a multiple of 4. */
  readonly options?: Uint8Array;
  readonly sequence?: number;
  readonly acknowledgement?: number;
}

export interface UdpOptions extends FrameOptions {
  readonly payload?: number | Uint8Array;
}

export interface IcmpOptions extends FrameOptions {
  readonly type: number;
  readonly code?: number;
  /** Bytes behind the 8-byte header. */
  readonly payload?: number;
}

export interface TimedFrame {
  /** µs since 1970. */
  readonly timeUs: number;
  readonly frame: Uint8Array;
  /** What it had on the wire; default: its length. */
  readonly wireLength?: number;
  /** LINKTYPE_; default: Ethernet. */
  readonly linkType?: number;
}

const mss = Uint8Array.of(2, 4, 5, 0xb4);
const letters = 'FSRPAUEC';

export function tcpFrame(ends: Ends, options: TcpOptions): Uint8Array<ArrayBuffer> {
  const tcpOptions = options.options ?? new Uint8Array(0);
  const payload = bytesOf(options.payload);
  const segment = new Uint8Array(20 + tcpOptions.length + payload.length);
  const view = new DataView(segment.buffer);
  view.setUint16(0, ends.srcPort ?? 40_000);
  view.setUint16(2, ends.dstPort ?? 80);
  view.setUint32(4, options.sequence ?? 1);
  view.setUint32(8, options.acknowledgement ?? 0);
  segment[12] = ((20 + tcpOptions.length) / 4) << 4;
  for (const letter of options.flags) segment[13]! |= 1 << letters.indexOf(letter);
  view.setUint16(14, options.window ?? 1000);
  segment.set(tcpOptions, 20);
  segment.set(payload, 20 + tcpOptions.length);
  return ipFrame(ends, 6, segment, 16, options);
}

/** The segment that opens a connection usually carries this option. */
export const maximumSegmentSize: Uint8Array = mss;

export function udpFrame(ends: Ends, options: UdpOptions = {}): Uint8Array<ArrayBuffer> {
  const payload = bytesOf(options.payload);
  const datagram = new Uint8Array(8 + payload.length);
  const view = new DataView(datagram.buffer);
  view.setUint16(0, ends.srcPort ?? 50_000);
  view.setUint16(2, ends.dstPort ?? 53);
  view.setUint16(4, datagram.length);
  datagram.set(payload, 8);
  return ipFrame(ends, 17, datagram, 6, options);
}

/** ICMP, or ICMPv6 between IPv6 addresses. */
export function icmpFrame(ends: Ends, options: IcmpOptions): Uint8Array<ArrayBuffer> {
  const message = new Uint8Array(8 + (options.payload ?? 0)).fill(0x63, 8);
  message[0] = options.type;
  message[1] = options.code ?? 0;
  return ipFrame(ends, ends.src.includes(':') ? 58 : 1, message, 2, options);
}

/** An IP packet of any protocol in an Ethernet frame. `checksumAt`: where in `upper` its checksum belongs, -1: nowhere. */
export function ipFrame(
  ends: Ends,
  protocol: number,
  upper: Uint8Array,
  checksumAt: number,
  options: FrameOptions = {},
): Uint8Array<ArrayBuffer> {
  const src = ipaddr.parse(ends.src).toByteArray();
  const dst = ipaddr.parse(ends.dst).toByteArray();
  const summed = Uint8Array.from(upper);
  if (checksumAt >= 0) {
    const pseudo = protocol === 1 ? [] : [...src, ...dst, 0, protocol, upper.length >> 8, upper.length & 0xff];
    const sum = checksum([...pseudo, ...summed]);
    summed[checksumAt] = sum >> 8;
    summed[checksumAt + 1] = sum & 0xff;
  }
  return src.length === 4
    ? ethernetFrame(0x0800, ipv4Packet(src, dst, protocol, summed, options), options)
    : ethernetFrame(0x86dd, ipv6Packet(src, dst, protocol, summed, options), options);
}

export function ethernetFrame(
  etherType: number,
  content: Uint8Array,
  options: FrameOptions = {},
): Uint8Array<ArrayBuffer> {
  const vlans = options.vlans ?? [];
  const size = 14 + 4 * vlans.length + content.length;
  const frame = new Uint8Array(options.pad === false ? size : Math.max(size, 60));
  const view = new DataView(frame.buffer);
  frame.set(macOf(options.dstMac ?? '02:00:00:00:00:01'));
  frame.set(macOf(options.srcMac ?? '02:00:00:00:00:02'), 6);
  let at = 12;
  for (const vlan of vlans) {
    view.setUint16(at, 0x8100);
    view.setUint16(at + 2, vlan);
    at += 4;
  }
  view.setUint16(at, etherType);
  frame.set(content, at + 2);
  return frame;
}

export function arpFrame(): Uint8Array<ArrayBuffer> {
  return ethernetFrame(0x0806, Uint8Array.of(0, 1, 8, 0, 6, 4, 0, 1, ...Array.from({ length: 20 }, () => 0)));
}

/** The frames as a source would hand them over. */
export function chunkOf(frames: readonly TimedFrame[]): Chunk {
  const bytes = new Uint8Array(frames.reduce((sum, { frame }) => sum + frame.length, 0));
  const offsets = new Uint32Array(frames.length);
  let at = 0;
  for (const [row, { frame }] of frames.entries()) {
    offsets[row] = at;
    bytes.set(frame, at);
    at += frame.length;
  }
  return {
    count: frames.length,
    bytes,
    offsets,
    lengths: Uint32Array.from(frames, ({ frame }) => frame.length),
    wireLengths: Uint32Array.from(frames, ({ frame, wireLength }) => wireLength ?? frame.length),
    timesUs: Float64Array.from(frames, ({ timeUs }) => timeUs),
    linkTypes: Uint16Array.from(frames, ({ linkType }) => linkType ?? 1),
  };
}

function ipv4Packet(
  src: readonly number[],
  dst: readonly number[],
  protocol: number,
  upper: Uint8Array,
  options: FrameOptions,
): Uint8Array<ArrayBuffer> {
  const ipOptions = options.ipOptions ?? new Uint8Array(0);
  const headerBytes = 20 + ipOptions.length;
  const packet = new Uint8Array(headerBytes + upper.length);
  const view = new DataView(packet.buffer);
  packet[0] = 0x40 | (headerBytes / 4);
  view.setUint16(2, options.ipLength ?? packet.length);
  view.setUint16(6, options.fragment ?? 0x4000);
  packet[8] = 64;
  packet[9] = protocol;
  packet.set(src, 12);
  packet.set(dst, 16);
  packet.set(ipOptions, 20);
  view.setUint16(10, checksum(packet.subarray(0, headerBytes)));
  packet.set(upper, headerBytes);
  return packet;
}

function ipv6Packet(
  src: readonly number[],
  dst: readonly number[],
  protocol: number,
  upper: Uint8Array,
  options: FrameOptions,
): Uint8Array<ArrayBuffer> {
  const extensions = options.extensions ?? [];
  const chain = extensions.flatMap(([, content], index) => {
    const next = extensions[index + 1]?.[0] ?? protocol;
    return [next, ...content.subarray(1)];
  });
  const packet = new Uint8Array(40 + chain.length + upper.length);
  const view = new DataView(packet.buffer);
  packet[0] = 0x60;
  view.setUint16(4, options.ipLength ?? chain.length + upper.length);
  packet[6] = extensions[0]?.[0] ?? protocol;
  packet[7] = 64;
  packet.set(src, 8);
  packet.set(dst, 24);
  packet.set(chain, 40);
  packet.set(upper, 40 + chain.length);
  return packet;
}

function bytesOf(payload: number | Uint8Array | undefined): Uint8Array {
  return payload instanceof Uint8Array ? payload : new Uint8Array(payload ?? 0).fill(0x61);
}

function macOf(text: string): number[] {
  return text.split(':').map((part) => Number.parseInt(part, 16));
}

/** RFC 1071. */
function checksum(bytes: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i]! << 8) | (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
