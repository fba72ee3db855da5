/** A mixture of packets that visits endings, reports, cuts and both IP versions, the same every time. */
import { arpFrame, icmpFrame, tcpFrame, type TimedFrame, udpFrame } from './packet-builder.ts';

const startUs = 1_700_000_000_000_000;

/** In order of time unless `late`, which lets one packet in thirty come up to 40 ms late. */
export function mixture(packets: number, late = false): TimedFrame[] {
  let state = 7;
  const next = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  let clockUs = startUs;
  return Array.from({ length: packets }, () => {
    clockUs += next(20) === 0 ? next(40_000_000) : next(30_000);
    const timeUs = late && next(30) === 0 ? clockUs - next(40_000) : clockUs;
    const host = next(4);
    const ends = { src: `10.0.0.${host}`, dst: '10.0.1.1', srcPort: 40_000 + next(3), dstPort: 80 };
    const back = { src: ends.dst, dst: ends.src, srcPort: ends.dstPort, dstPort: ends.srcPort };
    const way = next(2) === 0 ? ends : back;
    const kind = next(10);
    if (kind === 0) return { timeUs, frame: arpFrame() };
    if (kind === 1) return { timeUs, frame: icmpFrame(way, { type: next(9), code: next(2) }) };
    if (kind === 2) return { timeUs, frame: udpFrame({ ...way, src: '2001:db8::1', dst: '2001:db8::2' }) };
    if (kind < 5) return { timeUs, frame: udpFrame(way, { payload: next(500) }) };
    const flags = ['S', 'SA', 'A', 'PA', 'A', 'PA', 'FA', 'RA', 'A', 'PA'][next(10)]!;
    return { timeUs, frame: tcpFrame(way, { flags, payload: flags === 'PA' ? next(1400) : 0, window: next(65_536) }) };
  });
}
