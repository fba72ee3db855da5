/**
 * What the meter needs to know of one packet: a row of 32-bit integers that is written again for every packet, so that
 * decoding allocates nothing. Rows of many packets stand in one array: an array of its own for each would be looked up
 * and checked again with every packet.
 */

/** Places in a row. */
export const field = {
  /** 4 or 6. */
  family: 0,
  /** Four big-endian words each; an IPv4 address stands in the last one, the others are 0. */
  srcAddress: 1,
  dstAddress: 5,
  /** IP protocol number, behind any IPv6 extension headers. */
  protocol: 9,
  srcPort: 10,
  dstPort: 11,
  /** TCP flag byte, 0 for anything else. */
  flags: 12,
  /** TCP window as it stands in the packet. */
  window: 13,
  /** Transport header: TCP 20–60, UDP 8, others 0. */
  headerBytes: 14,
  /** Behind the transport header, by the IP length; 0 for anything but TCP and UDP. */
  payloadBytes: 15,
  /** The same if the IP datagram were at least 46 bytes long, as it is in a padded Ethernet frame. */
  paddedPayloadBytes: 16,
  icmpType: 17,
  icmpCode: 18,
  /** 1 for a fragment that is not the first: it has no transport header. */
  laterFragment: 19,
  /** Where the hardware addresses (6 bytes) begin in the chunk's bytes, -1 where the link has none. */
  srcMacOffset: 20,
  dstMacOffset: 21,
} as const;

export const fieldCount = 22;

/** One row, or several. */
export type PacketFields = Int32Array<ArrayBuffer>;

/** A single row. */
export function createPacketFields(): PacketFields {
  return new Int32Array(fieldCount);
}

/** What came of a frame. Everything but `decoded` is counted and left. */
export const outcome = {
  decoded: 0,
  /** ARP, LLDP, 802.2 … */
  notIp: 1,
  /** Fewer bytes than the headers need: hostile, or the snap length is too small. */
  truncated: 2,
  /** Headers that contradict themselves. */
  malformed: 3,
  unsupportedLink: 4,
} as const;

export type Outcome = (typeof outcome)[keyof typeof outcome];

/** IP protocol numbers that are told apart. */
export const ipProtocol = { icmp: 1, igmp: 2, tcp: 6, udp: 17, icmp6: 58, sctp: 132 } as const;

/** Bits of the TCP flag byte. */
export const tcpFlag = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16, urg: 32, ece: 64, cwr: 128 } as const;
