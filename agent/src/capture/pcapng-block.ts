/** The parts of pcapng that packets depend on: interfaces and their clocks. */
import { latestUs } from './packet-source.ts';

export const blockType = {
  sectionHeader: 0x0a0d0d0a,
  interfaceDescription: 1,
  obsoletePacket: 2,
  simplePacket: 3,
  enhancedPacket: 6,
} as const;

export const byteOrderMagic = 0x1a2b3c4d;

/** Blocks whose content we read are bounded; anything else is skipped without being kept. */
export const maxBlockBytes = 524_288;

export const maxInterfaces = 1024;

/** One interface of a section. */
export interface CaptureInterface {
  readonly linkType: number;
  /** 0: unlimited. */
  readonly snapLength: number;
  /** Time stamps count units of 10^-decimalDigits s, or 2^-binaryDigits s where that is not undefined. */
  readonly decimalDigits: number;
  readonly binaryDigits: number | undefined;
  readonly offsetSeconds: number;
}

const optionEnd = 0;
const optionTimeResolution = 9;
const optionTimeOffset = 14;

/** Read the interface description block at `start`, `length` bytes long with its trailer. */
export function readInterface(view: DataView, start: number, length: number, littleEndian: boolean): CaptureInterface {
  let decimalDigits = 6;
  let binaryDigits: number | undefined;
  let offsetSeconds = 0;
  const end = start + length - 4;
  let at = start + 16;
  while (at + 4 <= end) {
    const code = view.getUint16(at, littleEndian);
    const size = view.getUint16(at + 2, littleEndian);
    at += 4;
    if (code === optionEnd || at + size > end) break;
    if (code === optionTimeResolution && size >= 1) {
      const resolution = view.getUint8(at);
      if ((resolution & 0x80) === 0) decimalDigits = resolution;
      else binaryDigits = resolution & 0x7f;
    } else if (code === optionTimeOffset && size >= 8) {
      offsetSeconds = Number(view.getBigInt64(at, littleEndian));
    }
    at += (size + 3) & ~3;
  }
  return {
    linkType: view.getUint16(start + 8, littleEndian),
    snapLength: view.getUint32(start + 12, littleEndian),
    decimalDigits,
    binaryDigits,
    offsetSeconds,
  };
}

/** A time stamp of this interface in whole µs since 1970, rounded down, from 0 to 2^53 - 1. */
export function timeOf(source: CaptureInterface, high: number, low: number): number {
  return Math.min(Math.max(exactTimeOf(source, high, low), 0), latestUs);
}

function exactTimeOf(source: CaptureInterface, high: number, low: number): number {
  const shift = source.offsetSeconds * 1e6;
  if (source.binaryDigits === undefined) {
    if (source.decimalDigits === 6) return high * 4_294_967_296 + low + shift;
    if (source.decimalDigits > 6 && source.decimalDigits <= 12) {
      const divisor = 10 ** (source.decimalDigits - 6);
      const rest = high % divisor;
      return ((high - rest) / divisor) * 4_294_967_296 + Math.floor((rest * 4_294_967_296 + low) / divisor) + shift;
    }
  }
  const units = (BigInt(high) << 32n) | BigInt(low);
  const perSecond =
    source.binaryDigits === undefined ? 10n ** BigInt(source.decimalDigits) : 1n << BigInt(source.binaryDigits);
  return Number((units * 1_000_000n) / perSecond) + shift;
}
