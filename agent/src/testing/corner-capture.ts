/**
 * A small capture that visits the corners of the flow definitions: endings, the 120 s cut, bulk, silence, fragments,
 * VLAN, IPv6, time going back. `shared/fixtures/flows` holds it with the flows that every program must make of it.
 */
import {
  arpFrame,
  type Ends,
  icmpFrame,
  maximumSegmentSize,
  tcpFrame,
  type TcpOptions,
  type TimedFrame,
  udpFrame,
} from './packet-builder.ts';

const startUs = 1_700_000_000_000_000;
const camera = '192.168.1.20';
const broker = '203.0.113.5';

class Script {
  readonly frames: TimedFrame[] = [];
  #nowUs = 0;

  at(seconds: number): this {
    this.#nowUs = startUs + Math.round(seconds * 1e6);
    return this;
  }

  send(afterUs: number, frame: Uint8Array): this {
    this.#nowUs += afterUs;
    this.frames.push({ timeUs: this.#nowUs, frame });
    return this;
  }

  tcp(afterUs: number, ends: Ends, flags: string, payload = 0, options: Partial<TcpOptions> = {}): this {
    return this.send(afterUs, tcpFrame(ends, { flags, payload, ...options }));
  }
}

function turned(ends: Ends): Ends {
  return { src: ends.dst, dst: ends.src, srcPort: ends.dstPort!, dstPort: ends.srcPort! };
}

/** The same frames each time, in capture order. */
export function cornerCapture(): TimedFrame[] {
  const script = new Script();
  const open = { options: maximumSegmentSize, window: 64_240 };

  const web: Ends = { src: camera, dst: broker, srcPort: 41_001, dstPort: 80 };
  script.at(1).tcp(0, web, 'S', 0, open).tcp(900, turned(web), 'SA', 0, open).tcp(90, web, 'A');
  script.tcp(200, web, 'PA', 120).tcp(3000, turned(web), 'A');
  for (let segment = 0; segment < 6; segment++) script.tcp(150 + segment, turned(web), 'A', 1400 + segment);
  script.tcp(1_500_000, turned(web), 'PA', 300).tcp(80, web, 'FA').tcp(400, turned(web), 'FA').tcp(90, web, 'A');
  script.tcp(500, turned(web), 'A');

  const scan: Ends = { src: '192.168.1.66', dst: camera, srcPort: 61_000, dstPort: 23 };
  script.at(4).tcp(0, scan, 'S', 0, open).tcp(90, turned(scan), 'RA', 0, { window: 0 });
  script.tcp(5000, { ...scan, dstPort: 24 }, 'S', 0, open);
  script.tcp(900_000, scan, 'S', 0, open).tcp(80, turned(scan), 'RA', 0, { window: 0 });

  const keepAlive: Ends = { src: camera, dst: broker, srcPort: 41_002, dstPort: 1883 };
  script.at(6).tcp(0, keepAlive, 'S', 0, open).tcp(8000, turned(keepAlive), 'SA', 0, open);
  for (let ping = 0; ping < 11; ping++) {
    script
      .at(18 + 11 * ping)
      .tcp(0, keepAlive, 'PA', 2)
      .tcp(8000, turned(keepAlive), 'PA', 2, { window: 700 + ping });
  }
  script.at(131).tcp(0, turned(keepAlive), 'PA', 40, { window: 900 }).tcp(90, keepAlive, 'A', 0, { window: 0 });

  const dns: Ends = { src: camera, dst: '192.168.1.1', srcPort: 50_001, dstPort: 53 };
  script
    .at(132)
    .send(0, udpFrame(dns, { payload: 11 }))
    .send(1234, udpFrame(turned(dns), { payload: 120 }));
  script.at(260).send(0, udpFrame(turned(dns), { payload: 33 }));

  const late: Ends = { src: broker, dst: camera, srcPort: 443, dstPort: 41_003 };
  script
    .at(262)
    .tcp(0, late, 'SA', 0, { ...open, window: 4000 })
    .tcp(100, turned(late), 'A')
    .tcp(50, turned(late), 'PAU', 60);
  script.tcp(900, late, 'PAEC', 90, { window: 4001 }).tcp(-300, turned(late), 'A').tcp(800, late, 'R');

  const ping: Ends = { src: camera, dst: '192.168.1.1' };
  script
    .at(264)
    .send(0, icmpFrame(ping, { type: 8, payload: 32 }))
    .send(700, icmpFrame({ src: ping.dst, dst: ping.src }, { type: 0, payload: 32 }));
  script.send(1000, icmpFrame(ping, { type: 3, code: 1, payload: 28 }));
  const big: Ends = { src: camera, dst: '192.168.1.1', srcPort: 50_002, dstPort: 6000 };
  script
    .at(265)
    .send(0, udpFrame(big, { payload: 1472, fragment: 0x2000 }))
    .send(5, udpFrame(big, { payload: 520, fragment: 185 }));
  script.send(100, arpFrame());
  script.send(100, tcpFrame({ ...web, srcPort: 41_004 }, { flags: 'A', payload: 9, vlans: [100] }));
  const six: Ends = { src: '2001:db8::20', dst: '2001:db8::1', srcPort: 50_003, dstPort: 5683 };
  script.send(100, udpFrame(six, { payload: 25 })).send(800, udpFrame(turned(six), { payload: 25 }));
  return script.frames;
}
