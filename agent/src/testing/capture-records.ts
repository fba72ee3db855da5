/** Where the records of a capture file lie: a second, plain reading of both formats, to aim damage and to check cuts. */

export interface CaptureRecord {
  readonly start: number;
  readonly end: number;
  /** `header`: of the file or a section; `other`: whatever holds no packet. */
  readonly kind: 'header' | 'interface' | 'packet' | 'other';
  readonly littleEndian: boolean;
}

export type CaptureFormat = 'pcap' | 'pcapng' | 'unknown';

export function formatOf(bytes: Uint8Array): CaptureFormat {
  if (bytes.length < 4) return 'unknown';
  const view = viewOf(bytes);
  if (view.getUint32(0) === 0x0a0d0d0a) return 'pcapng';
  const magic = [view.getUint32(0), view.getUint32(0, true)];
  return magic.some((value) => value === 0xa1b2c3d4 || value === 0xa1b23c4d) ? 'pcap' : 'unknown';
}

/** The whole records, from the first on, up to the first one that is not sound. */
export function recordsOf(bytes: Uint8Array): CaptureRecord[] {
  const format = formatOf(bytes);
  if (format === 'unknown') return [];
  return format === 'pcap' ? pcapRecords(bytes) : pcapngRecords(bytes);
}

function pcapRecords(bytes: Uint8Array, maxRecordBytes = Infinity): CaptureRecord[] {
  const view = viewOf(bytes);
  const littleEndian = bytes[0] !== 0xa1;
  if (bytes.length < 24) return [];
  const records: CaptureRecord[] = [{ start: 0, end: 24, kind: 'header', littleEndian }];
  for (let start = 24; start + 16 <= bytes.length;) {
    const length = view.getUint32(start + 8, littleEndian);
    const end = start + 16 + length;
    if (length > maxRecordBytes || end > bytes.length) break;
    records.push({ start, end, kind: 'packet', littleEndian });
    start = end;
  }
  return records;
}

/** What a pcap file of these bytes must give, by the letter of the format: packets, and the place where it cannot be read on. */
export function expectedOfPcap(
  bytes: Uint8Array,
  maxRecordBytes: number,
): { readonly packets: number; readonly stopsAt: number | undefined; readonly isCorrupt: boolean } {
  const packets = pcapRecords(bytes, maxRecordBytes).filter(({ kind }) => kind === 'packet');
  if (bytes.length < 24) return { packets: 0, stopsAt: 0, isCorrupt: false };
  const stopsAt = packets.at(-1)?.end ?? 24;
  if (stopsAt === bytes.length) return { packets: packets.length, stopsAt: undefined, isCorrupt: false };
  const isCorrupt =
    stopsAt + 16 <= bytes.length && viewOf(bytes).getUint32(stopsAt + 8, bytes[0] !== 0xa1) > maxRecordBytes;
  return { packets: packets.length, stopsAt, isCorrupt };
}

const kinds: Readonly<Record<number, CaptureRecord['kind']>> = {
  0x0a0d0d0a: 'header',
  1: 'interface',
  2: 'packet',
  3: 'packet',
  6: 'packet',
};

function pcapngRecords(bytes: Uint8Array): CaptureRecord[] {
  const view = viewOf(bytes);
  const records: CaptureRecord[] = [];
  let littleEndian = true;
  for (let start = 0; start + 12 <= bytes.length;) {
    if (view.getUint32(start) === 0x0a0d0d0a) littleEndian = view.getUint32(start + 8, true) === 0x1a2b3c4d;
    const length = view.getUint32(start + 4, littleEndian);
    const end = start + length;
    if (length < 12 || end > bytes.length) break;
    records.push({ start, end, kind: kinds[view.getUint32(start, littleEndian)] ?? 'other', littleEndian });
    start = end;
  }
  return records;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
