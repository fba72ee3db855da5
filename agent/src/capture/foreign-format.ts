/** What a file that is no capture may be, and what to do with it. */
import { CaptureError } from './capture-error.ts';

/** By the first bytes: compressed files that often hold a capture, and the program that unpacks them. */
const compressed: readonly (readonly [magic: number, bits: number, program: string])[] = [
  [0x1f8b0000, 16, 'gzip'],
  [0x28b52ffd, 32, 'zstd'],
  [0xfd377a58, 32, 'xz'],
  [0x425a6800, 24, 'bzip2'],
  [0x04224d18, 32, 'lz4'],
];

/** By the first bytes: captures of a kind that is not read, which Wireshark's editcap turns into one that is. */
const otherCaptures: readonly (readonly [magic: number, format: string])[] = [
  [0x736e6f6f, 'snoop'],
  [0x474d4255, 'Network Monitor'],
  [0x52545353, 'Network Monitor'],
  [0xa1b2cd34, 'pcap with longer records'],
  [0x34cdb2a1, 'pcap with longer records'],
];

/** The error for input that begins with the four bytes of `magic`, read as a big-endian number. */
export function foreignFormat(name: string, magic: number): CaptureError {
  const found = compressed.find(([known, bits]) => magic >>> (32 - bits) === known >>> (32 - bits));
  if (found !== undefined) {
    const unpack = `${found[2]} -dc FILE | picket-agent flows - (or replay -)`;
    return new CaptureError(
      'not-a-capture',
      `${name} is compressed (${found[2]}, at byte 0): unpack it first, for example ${unpack}`,
      0,
    );
  }
  const other = otherCaptures.find(([known]) => magic === known);
  if (other !== undefined) {
    return new CaptureError(
      'not-a-capture',
      `${name} is another kind of capture (${other[1]}, at byte 0): convert it first, for example editcap -F pcap FILE NEW`,
      0,
    );
  }
  const began = `0x${magic.toString(16).padStart(8, '0')}`;
  return new CaptureError(
    'not-a-capture',
    `${name} is neither pcap nor pcapng (it begins with ${began} at byte 0): give a capture as tcpdump -w or Wireshark writes it`,
    0,
  );
}
