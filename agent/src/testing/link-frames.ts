/** The same IP packets as other links carry them, and packets that a plain conversation does not have. */
import { ethernetFrame, icmpFrame, ipFrame, tcpFrame, type TimedFrame, udpFrame } from './packet-builder.ts';

type Link = (packet: Uint8Array) => { readonly frame: Uint8Array; readonly linkType: number };

const isSix = (packet: Uint8Array): boolean => packet[0]! >> 4 === 6;
const etherTypeOf = (packet: Uint8Array): number => (isSix(packet) ? 0x86dd : 0x0800);
const mac = [2, 0, 0, 0, 0, 9];

function prefixed(linkType: number, header: (packet: Uint8Array) => readonly number[]): Link {
  return (packet) => ({ frame: Uint8Array.from([...header(packet), ...packet]), linkType });
}

function split(value: number): [number, number] {
  return [value >> 8, value & 0xff];
}

/** Every link that is decoded, by name. */
export const links: Readonly<Record<string, Link>> = {
  ethernet: (packet) => ({ frame: ethernetFrame(etherTypeOf(packet), packet), linkType: 1 }),
  vlan: (packet) => ({ frame: ethernetFrame(etherTypeOf(packet), packet, { vlans: [7] }), linkType: 1 }),
  qinq: (packet) => {
    const frame = ethernetFrame(etherTypeOf(packet), packet, { vlans: [7, 8] });
    frame.set([0x88, 0xa8], 12);
    return { frame, linkType: 1 };
  },
  pppoe: (packet) => {
    const header = [0x11, 0, 0, 1, ...split(packet.length + 2), 0, isSix(packet) ? 0x57 : 0x21];
    return { frame: ethernetFrame(0x8864, Uint8Array.from([...header, ...packet])), linkType: 1 };
  },
  cooked: prefixed(113, (packet) => [0, 0, 0, 1, 0, 6, ...mac, 0, 0, ...split(etherTypeOf(packet))]),
  cooked2: prefixed(276, (packet) => [...split(etherTypeOf(packet)), 0, 0, 0, 0, 0, 2, 0, 1, 0, 6, ...mac, 0, 0]),
  loopback: prefixed(0, (packet) => [isSix(packet) ? 30 : 2, 0, 0, 0]),
  loop: prefixed(108, (packet) => [0, 0, 0, isSix(packet) ? 24 : 2]),
  raw: prefixed(101, () => []),
  rawByFamily: (packet) => ({ frame: packet, linkType: isSix(packet) ? 229 : 228 }),
};

/** Ethernet frames on another link; what is not plain IP over Ethernet is left out. */
export function onLink(frames: readonly TimedFrame[], link: Link): TimedFrame[] {
  return frames
    .filter(({ frame }) => (frame[12] === 0x08 && frame[13] === 0) || (frame[12] === 0x86 && frame[13] === 0xdd))
    .map(({ timeUs, frame }) => ({ timeUs, ...link(frame.subarray(14)) }));
}

/** Extension headers, fragments, options, offloads, and protocols beside TCP and UDP. */
export function unusualFrames(startUs: number): TimedFrame[] {
  const four = { src: '10.0.0.2', dst: '10.0.0.9', srcPort: 40_001, dstPort: 443 };
  const six = { src: '2001:db8::2', dst: '2001:db8::9', srcPort: 40_001, dstPort: 443 };
  const options = new Uint8Array(8);
  const longOptions = Uint8Array.from({ length: 16 }, (_, at) => (at === 1 ? 1 : 0));
  const fragment = (offset: number): Uint8Array => Uint8Array.of(0, 0, ...split(offset), 0, 0, 0, 1);
  const authentication = Uint8Array.from({ length: 16 }, (_, at) => (at === 1 ? 2 : 0));
  const sctp = Uint8Array.of(0, 7, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0);
  const frames = [
    tcpFrame(six, { flags: 'S', extensions: [[0, options]] }),
    tcpFrame(six, {
      flags: 'A',
      extensions: [
        [0, options],
        [60, longOptions],
      ],
    }),
    tcpFrame(six, {
      flags: 'PA',
      payload: 30,
      extensions: [
        [51, authentication],
        [43, options],
      ],
    }),
    udpFrame(six, { payload: 60, extensions: [[44, fragment(1)]] }),
    udpFrame(six, {
      payload: 60,
      extensions: [
        [0, options],
        [44, fragment(0x78)],
      ],
    }),
    icmpFrame(six, { type: 128, payload: 24 }),
    tcpFrame(four, { flags: 'SEC', ipOptions: new Uint8Array(12), options: new Uint8Array(20) }),
    tcpFrame(four, { flags: 'PA', payload: 1400, ipLength: 0 }),
    udpFrame(four, { payload: 1200, fragment: 0x2000 }),
    udpFrame(four, { payload: 300, fragment: 0x0096 }),
    udpFrame({ ...four, dst: four.src, dstPort: four.srcPort }, { payload: 5 }),
    ipFrame(four, 132, sctp, -1),
    ipFrame(four, 2, new Uint8Array(8), -1),
    ipFrame(four, 47, new Uint8Array(24), -1),
  ];
  return frames.map((frame, index) => ({ timeUs: startUs + index * 700, frame }));
}
