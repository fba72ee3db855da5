/** What a flow is and when it is handed over, through the whole meter. */
import { describe, expect, test } from 'vitest';
import { FlowEnd } from '@picket/shared/contract/flow';
import { icmpFrame, tcpFrame, type TimedFrame, udpFrame } from '../testing/packet-builder.ts';
import { type MeteredFlow, RecordingMeter } from '../testing/meter-frames.ts';
import { flowEnd } from './flow-ending.ts';

const second = 1_000_000;
const startUs = 1_700_000_000 * second;
const client = { src: '10.0.0.2', dst: '203.0.113.5', srcPort: 40_001, dstPort: 443 };
const server = { src: client.dst, dst: client.src, srcPort: client.dstPort, dstPort: client.srcPort };

const up = (at: number, flags: string, payload = 0): TimedFrame => ({
  timeUs: startUs + at * second,
  frame: tcpFrame(client, { flags, payload }),
});
const down = (at: number, flags: string, payload = 0): TimedFrame => ({
  timeUs: startUs + at * second,
  frame: tcpFrame(server, { flags, payload }),
});
const datagram = (at: number, ends: { src: string; dst: string; srcPort?: number; dstPort?: number }): TimedFrame => ({
  timeUs: startUs + at * second,
  frame: udpFrame(ends, { payload: 10 }),
});

/** Per flow: who sent first, packets each way, why it ended, which report. */
function outline(flows: readonly MeteredFlow[]): string[] {
  return flows.map(
    ({ src, features, end, reportNumber }) =>
      `${src} ${features['Total Fwd Packets']}/${features['Total Backward Packets']} ${end} ${reportNumber}`,
  );
}

const live = (options: { capacity?: number; profile?: 'cic2017' | 'fixed' } = {}): RecordingMeter =>
  new RecordingMeter({ profile: 'fixed', endings: 'live', ...options });

test('the ends are numbered as the contract lists them', () => {
  expect(Object.values(flowEnd)).toEqual(FlowEnd.options.map((_, index) => index));
  const inWords = Object.keys(flowEnd).map((name) => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`));
  expect(inWords).toEqual(FlowEnd.options);
});

describe('live', () => {
  const handshake = [up(0, 'S'), down(0.01, 'SA'), up(0.02, 'A')];

  test('a closed connection is handed over with the last acknowledgement, and stragglers make no flow', () => {
    const meter = live().add(...handshake, up(0.1, 'FA'), down(0.2, 'FA'), up(0.3, 'A'));
    expect(outline(meter.flows)).toEqual(['10.0.0.2 4/2 closed 0']);
    meter.add(down(0.4, 'A'), up(1.9, 'FA'), down(9, 'A'));
    expect(outline(meter.finish())).toEqual(['10.0.0.2 4/2 closed 0']);
    expect(meter.meter.counters).toMatchObject({ flows: 1, latePackets: 3, active: 0 });
  });

  test('a reset hands over at once', () => {
    const meter = live().add(up(0, 'S'), down(0.001, 'RA'));
    expect(outline(meter.flows)).toEqual(['10.0.0.2 1/1 reset 0']);
    expect(live().add(down(0, 'R')).flows).toMatchObject([{ end: 'reset' }]);
  });

  test('a SYN clears the tombstone, 10 s clear it too, and so does a burst that is no straggler', () => {
    const closed = [...handshake, down(0.1, 'R')];
    expect(
      outline(
        live()
          .add(...closed, up(0.5, 'S'))
          .finish(),
      ),
    ).toEqual(['10.0.0.2 2/2 reset 0', '10.0.0.2 1/0 end_of_input 0']);
    expect(
      outline(
        live()
          .add(...closed, up(11, 'A'))
          .finish(),
      ),
    ).toEqual(['10.0.0.2 2/2 reset 0', '10.0.0.2 1/0 end_of_input 0']);
    const burst = Array.from({ length: 20 }, (_, index) => up(0.2 + index / 1000, 'A'));
    expect(
      outline(
        live()
          .add(...closed, ...burst)
          .finish(),
      ),
    ).toEqual(['10.0.0.2 2/2 reset 0', '10.0.0.2 4/0 end_of_input 0']);
  });

  test('a living flow is reported after 1 s and then every 5 s, cumulative, and only when it changed', () => {
    const meter = live()
      .add(...handshake)
      .advanceTo(startUs + 0.99 * second);
    expect(meter.flows).toEqual([]);
    meter.advanceTo(startUs + 1.2 * second);
    expect(outline(meter.flows)).toEqual(['10.0.0.2 2/1 report 0']);
    meter.advanceTo(startUs + 30 * second);
    expect(meter.flows).toHaveLength(1);
    meter.add(up(30.5, 'PA', 9)).advanceTo(startUs + 36 * second);
    expect(outline(meter.flows)).toEqual(['10.0.0.2 2/1 report 0', '10.0.0.2 3/1 report 1']);
    meter.add(down(36.5, 'R'));
    expect(outline(meter.flows).at(-1)).toBe('10.0.0.2 3/2 reset 2');
    expect(new Set(meter.flows.map((flow) => flow.flowNumber)).size).toBe(1);
    expect(meter.meter.counters).toMatchObject({ flows: 1, reports: 2 });
  });

  test('the pace of reports is the one that is asked for', () => {
    const reportPace = { firstUs: 300_000, firstPackets: 10, intervalUs: 2_000_000 };
    const meter = new RecordingMeter({ profile: 'fixed', endings: 'live', reportPace });
    meter.add(up(0, 'S')).advanceTo(startUs + 0.29 * second);
    expect(meter.flows).toEqual([]);
    meter.advanceTo(startUs + 0.4 * second);
    expect(meter.flows).toHaveLength(1);
    meter.add(up(0.5, 'A'), up(1, 'A')).advanceTo(startUs + 2.2 * second);
    expect(meter.flows).toHaveLength(1);
    meter.advanceTo(startUs + 2.5 * second);
    expect(outline(meter.flows)).toEqual(['10.0.0.2 1/0 report 0', '10.0.0.2 3/0 report 1']);
    const burst = Array.from({ length: 12 }, (_, index) => datagram(3 + index / 1000, client));
    expect(outline(meter.add(...burst).flows).at(-1)).toBe('10.0.0.2 10/0 report 0');
  });

  test('a flood is reported after 64 packets, without waiting', () => {
    const flood = Array.from({ length: 100 }, (_, index) => up(index / 10_000, 'A'));
    const meter = live().add(...flood);
    expect(outline(meter.flows)).toEqual(['10.0.0.2 64/0 report 0']);
    expect(outline(meter.finish()).at(-1)).toBe('10.0.0.2 100/0 end_of_input 1');
  });

  test('a flood through the slot of an earlier one is reported as early', () => {
    const flood = (from: number): TimedFrame[] => [
      up(from, 'S'),
      ...Array.from({ length: 69 }, (_, index) => up(from + 0.001 * (index + 1), 'A', 10)),
    ];
    const meter = live({ capacity: 1 }).add(...flood(0), down(0.5, 'R'), ...flood(0.6));
    expect(outline(meter.flows)).toEqual(['10.0.0.2 64/0 report 0', '10.0.0.2 70/1 reset 1', '10.0.0.2 64/0 report 0']);
  });

  test('a silent flow is handed over as idle and a lasting one is cut, by packet time alone', () => {
    const silent = live()
      .add(up(0, 'S'))
      .advanceTo(startUs + 119 * second);
    expect(silent.flows.filter((flow) => flow.end !== 'report')).toEqual([]);
    expect(outline(silent.advanceTo(startUs + 121 * second).flows).at(-1)).toBe('10.0.0.2 1/0 idle 1');
    const lasting = live();
    for (let at = 0; at <= 119; at++) lasting.add(up(at, 'PA', 1));
    expect(outline(lasting.advanceTo(startUs + 121 * second).flows).at(-1)).toMatch(/^10.0.0.2 120\/0 timeout /);
  });

  test('a flow that wakes just before the cut is cut all the same', () => {
    const woken = live()
      .add(up(0, 'S'))
      .advanceTo(startUs + 60 * second)
      .add(up(119.5, 'A'))
      .advanceTo(startUs + 120.2 * second);
    expect(outline(woken.flows)).toEqual(['10.0.0.2 1/0 report 0', '10.0.0.2 2/0 timeout 1']);
  });

  test('what follows the cut is a new flow with the same ends, whoever speaks', () => {
    const meter = live();
    for (let at = 0; at <= 119; at++) meter.add(up(at, 'PA', 1));
    meter.advanceTo(startUs + 121 * second).add(down(122, 'PA', 3));
    expect(meter.finish().at(-1)).toMatchObject({ src: '10.0.0.2', startedAtUs: startUs + 122 * second });
    expect(outline(meter.flows).at(-1)).toBe('10.0.0.2 0/1 end_of_input 0');
  });

  test('a full table gives up what is over, then the oldest half-open flow, and hands it over', () => {
    const meter = live({ capacity: 3 });
    const from = (host: number): TimedFrame => datagram(host / 1000, { src: `10.0.1.${host}`, dst: '10.0.0.1' });
    meter.add(...handshake, from(21), from(22));
    expect(meter.flows).toEqual([]);
    meter.add(from(23));
    expect(outline(meter.flows)).toEqual(['10.0.1.21 1/0 evicted 0']);
    meter.add(down(0.05, 'R'));
    meter.add(from(60));
    expect(outline(meter.flows)).toEqual(['10.0.1.21 1/0 evicted 0', '10.0.0.2 2/2 reset 0']);
    expect(meter.meter.counters).toMatchObject({ evicted: 1, active: 3 });
  });

  test('a spoofed flood fills the table and not the memory, and every flow is handed over', () => {
    const meter = live({ capacity: 64 });
    const flood = Array.from({ length: 5000 }, (_, index) => ({
      timeUs: startUs + index,
      frame: tcpFrame({ src: `10.${index >> 8}.${index & 255}.1`, dst: '10.0.0.9' }, { flags: 'S' }),
    }));
    meter.add(...flood).finish();
    expect(meter.flows).toHaveLength(5000);
    expect(meter.meter.counters).toMatchObject({ flows: 5000, evicted: 4936, active: 0 });
  });

  test('among answered flows one that fell silent is evicted before one that is in use', () => {
    const meter = live({ capacity: 2 });
    const dialogue = (host: string, at: number): TimedFrame[] => [
      datagram(at, { src: host, dst: '10.0.0.1', srcPort: 9, dstPort: 53 }),
      datagram(at + 0.001, { src: '10.0.0.1', dst: host, srcPort: 53, dstPort: 9 }),
    ];
    meter.add(...dialogue('10.0.1.1', 0), ...dialogue('10.0.1.2', 1), ...dialogue('10.0.1.1', 20));
    meter.add(datagram(20.1, { src: '10.0.1.3', dst: '10.0.0.1' }));
    expect(meter.flows.filter((flow) => flow.end === 'evicted')).toMatchObject([{ src: '10.0.1.2' }]);
    // It is looked for among the eight that came first; then the ninth goes, in use or not.
    for (const inUse of [8, 9]) {
      const hosts = Array.from({ length: 10 }, (_, index) => `10.0.1.${index + 1}`);
      const full = live({ capacity: 10 })
        .add(...hosts.flatMap((host, index) => dialogue(host, index / 10)))
        .add(...hosts.slice(0, inUse).flatMap((host) => dialogue(host, 20)))
        .add(datagram(20.1, { src: '10.0.2.1', dst: '10.0.0.1' }));
      expect(full.flows.filter((flow) => flow.end === 'evicted')).toMatchObject([{ src: '10.0.1.9' }]);
    }
  });

  test('late time stamps count as simultaneous; a clock set back ends every flow', () => {
    const meter = live().add(up(1, 'S'), up(0.5, 'A'), up(1.2, 'A'));
    expect(meter.finish()[0]!.features).toMatchObject({ 'Flow IAT Min': 0, 'Flow Duration': 200_000 });
    const stepped = live().add(up(1000, 'A'), up(10, 'A'));
    expect(outline(stepped.flows)).toEqual(['10.0.0.2 1/0 timeout 0']);
    expect(stepped.meter.counters).toMatchObject({ timeSteps: 1, active: 1 });
  });

  test('time before the first packet does not count, and a meter goes on after finish', () => {
    const meter = live()
      .advanceTo(startUs + 1000 * second)
      .add(up(0, 'S'));
    meter.finish();
    expect(outline(meter.add(up(1, 'S')).finish())).toEqual([
      '10.0.0.2 1/0 end_of_input 0',
      '10.0.0.2 1/0 end_of_input 0',
    ]);
  });
});

describe('reference', () => {
  const fixed = (...frames: TimedFrame[]): string[] =>
    outline(new RecordingMeter({ profile: 'fixed', endings: 'reference' }).add(...frames).finish());
  const improved = (...frames: TimedFrame[]): string[] =>
    outline(new RecordingMeter({ profile: 'improved2022', endings: 'reference' }).add(...frames).finish());
  const cic2017 = (...frames: TimedFrame[]): string[] =>
    outline(new RecordingMeter({ profile: 'cic2017', endings: 'reference' }).add(...frames).finish());

  test('the corrected meters end a closed connection at the next SYN; that of 2017 at the first FIN', () => {
    const frames = [up(0, 'S'), down(1, 'SA'), up(2, 'FA'), down(3, 'FA'), up(4, 'A'), up(5, 'A'), up(6, 'S')];
    expect(fixed(...frames)).toEqual(['10.0.0.2 4/2 closed 0', '10.0.0.2 1/0 end_of_input 0']);
    expect(cic2017(...frames)).toEqual(['10.0.0.2 2/1 closed 0', '203.0.113.5 1/3 end_of_input 0']);
  });

  test('a reset ends a connection for the corrected meters only', () => {
    const frames = [up(0, 'S'), down(1, 'RA'), up(2, 'S'), up(3, 'A')];
    expect(fixed(...frames)).toEqual(['10.0.0.2 1/1 reset 0', '10.0.0.2 2/0 end_of_input 0']);
    expect(cic2017(...frames)).toEqual(['10.0.0.2 3/1 end_of_input 0']);
  });

  test('a flow of one packet is a flow, but not in 2017', () => {
    expect(fixed(up(0, 'S'))).toEqual(['10.0.0.2 1/0 end_of_input 0']);
    expect(cic2017(up(0, 'S'))).toEqual([]);
  });

  test('a connection seen from its SYN+ACK on is turned round by today\u2019s meter only', () => {
    expect(fixed(down(0, 'SA'), up(1, 'A'))).toEqual(['10.0.0.2 1/1 end_of_input 0']);
    expect(improved(down(0, 'SA'), up(1, 'A'))).toEqual(['203.0.113.5 1/1 end_of_input 0']);
  });

  test('nobody is swept: silence ends a flow when the next packet comes, and the cut keeps the ends of TCP', () => {
    const frames = [up(0, 'S'), up(1, 'A'), down(500, 'A'), up(501, 'A')];
    expect(fixed(...frames)).toEqual(['10.0.0.2 2/0 idle 0', '10.0.0.2 1/1 end_of_input 0']);
    expect(cic2017(...frames)).toEqual(['10.0.0.2 2/0 idle 0', '10.0.0.2 2/0 end_of_input 0']);
  });

  test('the cut keeps the ends of UDP unless it was silent for 120 s; in 2022 it never did', () => {
    const back = { src: server.src, dst: server.dst, srcPort: server.srcPort, dstPort: server.dstPort };
    const lasting = [datagram(0, client), datagram(100, client), datagram(121, back)];
    expect(fixed(...lasting).at(-1)).toBe('10.0.0.2 0/1 end_of_input 0');
    expect(improved(...lasting).at(-1)).toBe('203.0.113.5 1/0 end_of_input 0');
    expect(fixed(datagram(0, client), datagram(121, back)).at(-1)).toBe('203.0.113.5 1/0 end_of_input 0');
    const silent = (from: number): string | undefined =>
      fixed(datagram(0, client), datagram(from, client), datagram(121, back)).at(-1);
    expect(silent(1)).toBe('10.0.0.2 0/1 end_of_input 0');
    expect(silent(0.999_999)).toBe('203.0.113.5 1/0 end_of_input 0');
  });

  test('an ICMP exchange is split when type and code both change', () => {
    const echo = (at: number, type: number, code: number): TimedFrame => ({
      timeUs: startUs + at * second,
      frame: icmpFrame({ src: '10.0.0.2', dst: '10.0.0.9' }, { type, code }),
    });
    expect(fixed(echo(0, 8, 0), echo(1, 0, 0), echo(2, 3, 1))).toHaveLength(2);
    expect(cic2017(echo(0, 8, 0), echo(1, 0, 0), echo(2, 3, 1))).toEqual(['10.0.0.2 3/0 end_of_input 0']);
  });

  test('what is told apart depends on the profile', () => {
    const later: TimedFrame = { timeUs: startUs, frame: udpFrame(client, { payload: 40, fragment: 5 }) };
    const meter = new RecordingMeter({ profile: 'fixed', endings: 'reference' }).add(later, datagram(1, client));
    expect(meter.finish().map((flow) => [flow.protocol, flow.srcPort])).toEqual([
      [0, 0],
      [17, 40_001],
    ]);
  });
});
