/** Where the headers of a frame begin: a plain reading of sound frames, made to aim damage at them, apart from the decoder. */

export interface FrameLayers {
  /** Of the two bytes that say what follows the link header and its tags; -1 where the link has none. */
  readonly etherTypeAt: number;
  /** Of the IP header, -1 where there is none. */
  readonly ipAt: number;
  readonly family: 0 | 4 | 6;
  /** Of the transport header, -1 where there is none. */
  readonly transportAt: number;
  readonly protocol: number;
}

const linkHeaders: Readonly<Record<number, { readonly bytes: number; readonly etherTypeAt: number }>> = {
  0: { bytes: 4, etherTypeAt: -1 },
  1: { bytes: 14, etherTypeAt: 12 },
  108: { bytes: 4, etherTypeAt: -1 },
  113: { bytes: 16, etherTypeAt: 14 },
  276: { bytes: 20, etherTypeAt: 0 },
};
const tags = new Set([0x8100, 0x88a8, 0x9100]);
const extensions = new Set([0, 43, 44, 51, 60, 135]);

/** The layers of a frame; positions may lie behind its end where the frame was cut. */
export function layersOf(frame: Uint8Array, linkType: number): FrameLayers {
  const byte = (at: number): number => frame[at] ?? 0;
  const word = (at: number): number => (byte(at) << 8) | byte(at + 1);
  const link = linkHeaders[linkType] ?? { bytes: 0, etherTypeAt: -1 };
  let { bytes: ipAt, etherTypeAt } = link;
  if (etherTypeAt >= 0) {
    while (tags.has(word(etherTypeAt)) && ipAt < frame.length) {
      etherTypeAt = ipAt + 2;
      ipAt += 4;
    }
    if (word(etherTypeAt) === 0x8864) ipAt += 8;
  }
  const family = byte(ipAt) >> 4;
  if (family === 4) {
    const transportAt = ipAt + ((byte(ipAt) & 15) << 2);
    return { etherTypeAt, ipAt, family, transportAt, protocol: byte(ipAt + 9) };
  }
  if (family !== 6) return { etherTypeAt, ipAt: -1, family: 0, transportAt: -1, protocol: -1 };
  let protocol = byte(ipAt + 6);
  let transportAt = ipAt + 40;
  while (extensions.has(protocol) && transportAt < frame.length) {
    const size =
      protocol === 44 ? 8 : protocol === 51 ? (byte(transportAt + 1) + 2) << 2 : (byte(transportAt + 1) + 1) << 3;
    protocol = byte(transportAt);
    transportAt += size;
  }
  return { etherTypeAt, ipAt, family, transportAt, protocol };
}
