/** The published vectors: the baseline of community-id-spec, and what the reference library is tested with. */
import ipaddr from 'ipaddr.js';
import { describe, expect, test } from 'vitest';
import { icmpFrame, ipFrame, tcpFrame, udpFrame } from '../testing/packet-builder.ts';
import { flowBatchOf } from '../testing/flow-rows.ts';
import { chunkOf } from '../testing/packet-builder.ts';
import { communityId, communityIdOfRow } from './community-id.ts';
import { FlowMeter, type FlowMeterOptions } from './flow-meter.ts';

/** Protocol, source, destination, then the ports; for ICMP the type and what the vectors give as its second number. */
const vectors: readonly (readonly [number, string, string, number, number, string])[] = [
  [6, '128.232.110.120', '66.35.250.204', 34_855, 80, '1:LQU9qZlK+B5F3KDmev6m5PMibrg='],
  [6, '66.35.250.204', '128.232.110.120', 80, 34_855, '1:LQU9qZlK+B5F3KDmev6m5PMibrg='],
  [6, '10.0.0.1', '10.0.0.2', 10, 11_569, '1:SXBGMX1lBOwhhoDrZynfROxnhnM='],
  [6, '1.2.3.4', '5.6.7.8', 1122, 3344, '1:wCb3OG7yAFWelaUydu0D+125CLM='],
  [6, '2001:470:e5bf:dead:4957:2174:e82c:4887', '2607:f8b0:400c:c03::1a', 63_943, 25, '1:/qFaeAR+gFe1KYjMzVDsMv+wgU4='],
  [6, '2607:f8b0:400c:c03::1a', '2001:470:e5bf:dead:4957:2174:e82c:4887', 25, 63_943, '1:/qFaeAR+gFe1KYjMzVDsMv+wgU4='],
  [17, '192.168.1.52', '8.8.8.8', 54_585, 53, '1:d/FP5EW3wiY1vCndhwleRRKHowQ='],
  [17, '8.8.8.8', '192.168.1.52', 53, 54_585, '1:d/FP5EW3wiY1vCndhwleRRKHowQ='],
  [17, '1.2.3.4', '5.6.7.8', 1122, 3344, '1:0Mu9InQx6z4ZiCZM/7HXi2WMhOg='],
  [132, '192.168.170.8', '192.168.170.56', 7, 80, '1:jQgCxbku+pNGw8WPbEc/TS/uTpQ='],
  [132, '192.168.170.56', '192.168.170.8', 80, 7, '1:jQgCxbku+pNGw8WPbEc/TS/uTpQ='],
  [132, '192.168.170.8', '192.168.170.56', 7, 7, '1:MP2EtRCAUIZvTw6MxJHLV7N7JDs='],
  [132, '192.168.170.56', '192.168.170.8', 7, 7, '1:MP2EtRCAUIZvTw6MxJHLV7N7JDs='],
  [1, '192.168.0.89', '192.168.0.1', 8, 0, '1:X0snYXpgwiv9TZtqg64sgzUn6Dk='],
  [1, '192.168.0.1', '192.168.0.89', 0, 8, '1:X0snYXpgwiv9TZtqg64sgzUn6Dk='],
  [1, '192.168.0.1', '192.168.0.89', 0, 20, '1:X0snYXpgwiv9TZtqg64sgzUn6Dk='],
  [1, '192.168.0.89', '192.168.0.1', 20, 0, '1:3o2RFccXzUgjl7zDpqmY7yJi8rI='],
  [1, '192.168.0.89', '192.168.0.1', 20, 1, '1:tz/fHIDUHs19NkixVVoOZywde+I='],
  [1, '10.0.0.1', '10.0.0.2', 11, 0, '1:YHxtAirCG//0OzkcVAukqKQN9xM='],
  [58, 'fe80::200:86ff:fe05:80da', 'fe80::260:97ff:fe07:69ea', 135, 0, '1:dGHyGvjMfljg6Bppwm3bg0LO8TY='],
  [58, 'fe80::260:97ff:fe07:69ea', 'fe80::200:86ff:fe05:80da', 136, 0, '1:dGHyGvjMfljg6Bppwm3bg0LO8TY='],
  [58, 'fe80::260:97ff:fe07:69ea', 'fe80::200:86ff:fe05:80da', 135, 0, '1:zavyT/cezQr1fmImYCwYnMXbgck='],
  [58, 'fe80::200:86ff:fe05:80da', 'fe80::260:97ff:fe07:69ea', 136, 0, '1:zavyT/cezQr1fmImYCwYnMXbgck='],
  [58, '3ffe:501:1800:2345::2', '3ffe:507:0:1:200:86ff:fe05:80da', 3, 0, '1:2ObVBgIn28oZvibYZhZMBgh7WdQ='],
  [58, '3ffe:501:410:0:2c0:dfff:fe47:33e', '3ffe:507:0:1:200:86ff:fe05:80da', 1, 4, '1:hLZd0XGWojozrvxqE0dWB1iM6R0='],
  [58, '3ffe:507:0:1:260:97ff:fe07:69ea', '3ffe:507:0:1:200:86ff:fe05:80da', 3, 0, '1:NdobDX8PQNJbAyfkWxhtL2Pqp5w='],
  [58, '3ffe:507:0:1:200:86ff:fe05:80da', '3ffe:507:0:1:260:97ff:fe07:69ea', 3, 0, '1:/OGBt9BN1ofenrmSPWYicpij2Vc='],
  [58, '3ffe:507:0:1:200:86ff:fe05:80da', '3ffe:501:0:1001::2', 128, 0, '1:+TW+HtLHvV1xnGhV1lv7XoJrqQg='],
  [58, '3ffe:501:0:1001::2', '3ffe:507:0:1:200:86ff:fe05:80da', 129, 0, '1:+TW+HtLHvV1xnGhV1lv7XoJrqQg='],
  [58, 'fe80::200:86ff:fe05:80da', 'ff02::2', 133, 0, '1:hO+sN4H+MG5MY/8hIrXPqc4ZQz0='],
  [58, 'fe80::260:97ff:fe07:69ea', 'ff02::1', 134, 0, '1:pkvHqCL88/tg1k4cPigmZXUtL00='],
  [46, '10.1.24.4', '10.1.12.1', 0, 0, '1:/nQI4Rh/TtY3mf0R2gJFBkVlgS4='],
  [46, '10.1.12.1', '10.1.24.4', 0, 0, '1:/nQI4Rh/TtY3mf0R2gJFBkVlgS4='],
  [46, '10.1.12.1', '10.1.12.2', 0, 0, '1:KHlLkgoJW7ifUTyTSgyVfkFHzKw='],
  [46, '10.1.12.2', '10.1.12.1', 0, 0, '1:KHlLkgoJW7ifUTyTSgyVfkFHzKw='],
];

const isIcmp = (protocol: number): boolean => protocol === 1 || protocol === 58;

test.each(vectors)('protocol %i, %s to %s, %i and %i: %s', (protocol, src, dst, first, second, expected) => {
  const ports = isIcmp(protocol) ? { srcPort: 0, dstPort: 0 } : { srcPort: first, dstPort: second };
  const message = isIcmp(protocol) ? { type: first, code: second } : { type: 0, code: 0 };
  expect(
    communityId({
      protocol,
      src: Uint8Array.from(ipaddr.parse(src).toByteArray()),
      dst: Uint8Array.from(ipaddr.parse(dst).toByteArray()),
      ...ports,
      icmp: (message.type << 8) | message.code,
    }),
  ).toBe(expected);
  const batch = flowBatchOf([
    { src: '203.0.113.1', dst: '::1' },
    { src, dst, protocol, ...ports, icmp: message },
  ]);
  expect(communityIdOfRow(batch, 1)).toBe(expected);
});

test('between two ports of one address the smaller port comes first', () => {
  const address = Uint8Array.of(127, 0, 0, 1);
  const idOf = (srcPort: number, dstPort: number): string =>
    communityId({ protocol: 6, src: address, dst: address, srcPort, dstPort, icmp: 0 });
  expect(idOf(40_001, 80)).toBe('1:a1tDCpEfcT3Fy5VW85xbIeS9Yjk='); // by hand: SHA-1 of the addresses, 6, 0, 80, 40001
  expect(idOf(80, 40_001)).toBe(idOf(40_001, 80));
});

describe('from packets, through the meter', () => {
  function idsOf(options: Pick<FlowMeterOptions, 'profile' | 'endings'>, ...frames: Uint8Array[]): (string | null)[] {
    const ids: (string | null)[] = [];
    const meter = FlowMeter.create(options, (batch) => {
      for (let row = 0; row < batch.count; row++) ids.push(communityIdOfRow(batch, row));
    });
    meter.add(chunkOf(frames.map((frame, index) => ({ timeUs: 1_700_000_000_000_000 + index, frame }))));
    meter.finish();
    return ids;
  }
  const live = { profile: 'fixed', endings: 'live' } as const;
  const ping = { src: '192.168.0.89', dst: '192.168.0.1' };

  test('TCP, UDP, SCTP, ICMP, ICMPv6 and what has no ports', () => {
    const rsvp = ipFrame({ src: '10.1.24.4', dst: '10.1.12.1' }, 46, new Uint8Array(16), -1);
    const sctpHeader = Uint8Array.of(0, 7, 0, 80, 0, 0, 0, 0, 0, 0, 0, 0);
    expect(
      idsOf(
        live,
        tcpFrame({ src: '66.35.250.204', dst: '128.232.110.120', srcPort: 80, dstPort: 34_855 }, { flags: 'SA' }),
        udpFrame({ src: '8.8.8.8', dst: '192.168.1.52', srcPort: 53, dstPort: 54_585 }),
        ipFrame({ src: '192.168.170.8', dst: '192.168.170.56' }, 132, sctpHeader, -1),
        icmpFrame(ping, { type: 8 }),
        icmpFrame({ src: 'fe80::200:86ff:fe05:80da', dst: 'fe80::260:97ff:fe07:69ea' }, { type: 135 }),
        rsvp,
      ),
    ).toEqual([
      '1:LQU9qZlK+B5F3KDmev6m5PMibrg=',
      '1:d/FP5EW3wiY1vCndhwleRRKHowQ=',
      '1:jQgCxbku+pNGw8WPbEc/TS/uTpQ=',
      '1:X0snYXpgwiv9TZtqg64sgzUn6Dk=',
      '1:dGHyGvjMfljg6Bppwm3bg0LO8TY=',
      '1:/nQI4Rh/TtY3mf0R2gJFBkVlgS4=',
    ]);
  });

  test('a one-way message keeps its code', () => {
    expect(idsOf(live, icmpFrame(ping, { type: 20, code: 1 }))).toEqual(['1:tz/fHIDUHs19NkixVVoOZywde+I=']);
  });

  test('what follows the 120 s cut keeps its name, whoever speaks', () => {
    const ids = new Set<string | null>();
    const meter = FlowMeter.create({ profile: 'cic2017', endings: 'live' }, (batch) => {
      for (let row = 0; row < batch.count; row++) ids.add(communityIdOfRow(batch, row));
    });
    const answer = icmpFrame({ src: ping.dst, dst: ping.src }, { type: 0 });
    const times = [...Array.from({ length: 12 }, (_, index) => index * 10), 121, 122];
    meter.add(
      chunkOf(
        times.map((seconds) => ({
          timeUs: 1_700_000_000_000_000 + seconds * 1_000_000,
          frame: seconds < 121 ? icmpFrame(ping, { type: 20, code: 1 }) : answer,
        })),
      ),
    );
    meter.finish();
    expect([...ids]).toEqual(['1:tz/fHIDUHs19NkixVVoOZywde+I=']);
  });

  test('where a profile throws protocols together, a flow has none', () => {
    expect(
      idsOf({ profile: 'cic2017', endings: 'reference' }, icmpFrame(ping, { type: 8 }), icmpFrame(ping, { type: 8 })),
    ).toEqual([null]);
  });
});
