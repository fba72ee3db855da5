/**
 * Numbers as text, written in place: byte for byte what `String` makes of them. A row of 78 features has 13 values that
 * are not whole, and a string of each took more time than metering the packets of the flow.
 */

const dot = 0x2e;
const zero = 0x30;
const powersOf10 = Float64Array.from({ length: 16 }, (_, digits) => 10 ** digits);
/** The digits behind the point are taken from 75 bits, in three pieces that ten times as much still fits 32 bits. */
const pieceBits = 25;
const piece = 2 ** pieceBits;
const pieceMask = piece - 1;
const twoPieces = piece * piece;
const float = new Float64Array(1);
const floatWords = new Uint32Array(float.buffer);
const exponentBias = 1023;
const leastExponent = -20;
/** By the exponent of a number: half of what its last bit is worth, in units of 2^-75. */
const halfSteps = Float64Array.from({ length: 71 }, (_, i) => 2 ** (i + leastExponent - 53 + 3 * pieceBits));

/** Most bytes of a number: `-1.2345678901234567e-300`. */
export const numberBytes = 24;

/**
 * Writes the shortest decimal that is read as this number again; NaN and infinities as such.
 * @param at where it begins; there must be room for `numberBytes`
 * @returns where it ends
 */
export function writeNumber(bytes: Buffer, at: number, value: number): number {
  if (value >= 0 && value < 1e15 && Math.floor(value) === value) return writeWhole(bytes, at, value);
  if (value >= 1e-6 && value < 1e15) return writeFraction(bytes, at, value);
  return at + bytes.write(String(value), at, 'latin1');
}

/** @param value a whole number from 0 to 1e15 - 1 */
export function writeWhole(bytes: Buffer, at: number, value: number): number {
  if (value < 10) {
    bytes[at] = zero + value;
    return at + 1;
  }
  let digits = 2;
  while (value >= powersOf10[digits]!) digits++;
  const end = at + digits;
  let place = end;
  let rest = value;
  // Nine digits at a time fit the processor's whole numbers.
  while (rest >= 1e9) {
    const upper = Math.floor(rest / 1e9);
    let lower = (rest - upper * 1e9) | 0;
    for (let i = 0; i < 9; i++) {
      const tenth = (lower / 10) | 0;
      bytes[--place] = zero + lower - tenth * 10;
      lower = tenth;
    }
    rest = upper;
  }
  let last = rest | 0;
  while (place > at) {
    const tenth = (last / 10) | 0;
    bytes[--place] = zero + last - tenth * 10;
    last = tenth;
  }
  return end;
}

/**
 * Digits until what is left out, or what rounding up would add, is less than half of what the number's last bit is
 * worth (Steele and White's algorithm for fixed points). Every step is exact: what is not whole and at least 2^-20 has no
 * bit below 2^-72. The two are never equal to that half: after k digits they are even multiples of 2^k in the units
 * in which it is 10^k. As doubles they are rounded only where they are far above it.
 * @param value from 1e-6 to 1e15, not whole
 */
function writeFraction(bytes: Buffer, start: number, value: number): number {
  const whole = Math.floor(value);
  let at = writeWhole(bytes, start, whole);
  bytes[at++] = dot;
  float[0] = value;
  let halfStep = halfSteps[(floatWords[1]! >>> 20) - exponentBias - leastExponent]!;
  let rest = (value - whole) * piece;
  let high = rest | 0;
  rest = (rest - high) * piece;
  let middle = rest | 0;
  let low = ((rest - middle) * piece) | 0;
  let digit: number;
  let leftOut: number;
  let missing: number;
  do {
    low *= 10;
    middle = middle * 10 + (low >>> pieceBits);
    low &= pieceMask;
    high = high * 10 + (middle >>> pieceBits);
    middle &= pieceMask;
    digit = high >>> pieceBits;
    high &= pieceMask;
    bytes[at++] = zero + digit;
    halfStep *= 10;
    const lower = middle * piece + low;
    leftOut = high * twoPieces + lower;
    missing = (piece - high) * twoPieces - lower;
  } while (leftOut > halfStep && missing > halfStep);
  if (missing < leftOut || (missing === leftOut && digit % 2 === 1)) bytes[at - 1] = zero + digit + 1;
  return at;
}
