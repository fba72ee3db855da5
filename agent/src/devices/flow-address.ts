/** The addresses of a flow batch as people read them. Text is made only for what is kept or reported, never per packet. */

/** `bytes[row * 16 …]` as canonical text: dotted decimal, or RFC 5952. IPv4 stands in the last four bytes. */
export function addressText(bytes: Uint8Array, row: number, family: number): string {
  const start = row * 16;
  if (family === 4) return `${bytes[start + 12]}.${bytes[start + 13]}.${bytes[start + 14]}.${bytes[start + 15]}`;
  const groups: number[] = [];
  for (let index = 0; index < 8; index++) groups.push(groupAt(bytes, start, index));
  const zeros = longestZeroRun(groups);
  const text = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(':');
  if (zeros.length < 2) return text(groups);
  return `${text(groups.slice(0, zeros.start))}::${text(groups.slice(zeros.start + zeros.length))}`;
}

/** Six bytes at `bytes[row * 6 …]` as `02:42:ac:11:00:02`, or null where the link has no MAC (all zero). */
export function macText(bytes: Uint8Array, row: number): string | null {
  const octets = [...bytes.subarray(row * 6, row * 6 + 6)];
  return octets.some((octet) => octet !== 0)
    ? octets.map((octet) => octet.toString(16).padStart(2, '0')).join(':')
    : null;
}

/** The same six bytes as one number; 0 where the link has no MAC. */
export function macKey(bytes: Uint8Array, row: number): number {
  let key = 0;
  for (let index = row * 6; index < row * 6 + 6; index++) key = key * 256 + bytes[index]!;
  return key;
}

/** The same of `02:42:ac:11:00:02`. */
export function macKeyOf(text: string): number {
  return Number.parseInt(text.replaceAll(':', ''), 16);
}

/** The text of such a number; null for 0. */
export function macOfKey(key: number): string | null {
  return key === 0
    ? null
    : key
        .toString(16)
        .padStart(12, '0')
        .replaceAll(/..(?=.)/g, '$&:');
}

/** Equal for equal addresses and for no others; a number for IPv4, a short string for IPv6. */
export function addressKey(bytes: Uint8Array, row: number, family: number): number | string {
  const start = row * 16;
  if (family === 4) {
    // Of 32 bits with a sign: a number above 2^31 is an object to the engine.
    return (bytes[start + 12]! << 24) | (bytes[start + 13]! << 16) | (bytes[start + 14]! << 8) | bytes[start + 15]!;
  }
  return String.fromCharCode(
    groupAt(bytes, start, 0),
    groupAt(bytes, start, 1),
    groupAt(bytes, start, 2),
    groupAt(bytes, start, 3),
    groupAt(bytes, start, 4),
    groupAt(bytes, start, 5),
    groupAt(bytes, start, 6),
    groupAt(bytes, start, 7),
  );
}

function groupAt(bytes: Uint8Array, start: number, index: number): number {
  return (bytes[start + index * 2]! << 8) | bytes[start + index * 2 + 1]!;
}

/** The first of the longest runs of zero groups. */
function longestZeroRun(groups: readonly number[]): { readonly start: number; readonly length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (let index = 0; index <= groups.length; index++) {
    if (groups[index] === 0) continue;
    if (index - start > best.length) best = { start, length: index - start };
    start = index + 1;
  }
  return best;
}
