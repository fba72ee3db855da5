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
  const began = `0x${magic.toString(16).padStart(8, '0')}`;
  return new CaptureError(
    'not-a-capture',
    `${name} is neither pcap nor pcapng (it begins with ${began} at byte 0): give a capture as tcpdump -w or Wireshark writes it`,
    0,
  );
}
