/** The one sentence in which an alert tells a person of the network's reasons. */
import { expect, test } from 'vitest';
import { newId, type BootId } from '@picket/shared/contract/identifiers';
import { contextOf, filled, moved, newcomer, normalsOf } from '../testing/explained-windows.ts';
import { burstSketch, sketchStartUs, type WindowSketch } from '../testing/scored-windows.ts';
import { explainWindow } from './explain-window.ts';

const bootId = newId() as BootId;

function sentence(sketch: Partial<WindowSketch>, features = filled(), attributions = moved()): string {
  const context = contextOf(sketch);
  const { says = 'port_scan' } = sketch;
  return explainWindow({
    context,
    attack: says === 'benign' ? 'other_attack' : says,
    features,
    attributions,
    normal: normalsOf(context).of('192.168.1.20'),
    bootId,
  }).summary;
}

test('guesses of a password are told as what they are', () => {
  expect(
    sentence(
      {
        flows: Array.from({ length: 10 }, () => ({ dstPort: 22 })),
        burst: { pairs: [burstSketch({ flows: 412 })] },
      },
      filled([9, 'SYN Flag Count', 2]),
      moved([9, 'SYN Flag Count', 3]),
    ),
  ).toBe(
    '412 new TCP connections to port 22 of 192.168.1.20 from 203.0.113.9 within 8 s, median answer 0 bytes; ' +
      'unusual: packets that open a connection 2 (normally 0)',
  );
});

test('what others do meanwhile, and what the same host asks for elsewhere, is not counted with it', () => {
  const flows = Array.from({ length: 10 }, () => ({ dstPort: 22 }));
  const told = (burst: NonNullable<WindowSketch['burst']>): string =>
    sentence({ flows, burst }).replace(/ new TCP .*/, '');
  expect(told({ services: [burstSketch({ flows: 500, hasSources: true })] })).toBe('10');
  expect(told({ pairs: [burstSketch({ flows: 500, from: '203.0.113.8' })] })).toBe('10');
  expect(told({ pairs: [burstSketch({ flows: 500, hasServices: true })] })).toBe('10');
  expect(told({ openers: [burstSketch({ flows: 500, hasTargets: true })] })).toBe('10');
  expect(told({ services: [burstSketch({ flows: 500, direction: 'outbound' })] })).toBe('10');
  expect(told({ services: [burstSketch({ flows: 500, dstPort: 80 })] })).toBe('10');
  // nobody else asked for it: what is known of the service is known of him
  const alone = burstSketch({ flows: 412 });
  const rest = burstSketch({ flows: 500, hasServices: true });
  expect(told({ services: [alone], pairs: [rest], openers: [rest] })).toBe('412');
  const two = flows.map((flow, index) => (index < 5 ? flow : { dstPort: 80 }));
  expect(sentence({ flows: two, burst: { pairs: [rest] } })).toMatch(/^10 new TCP connections to ports 22 and 80 of /);
});

test('what is told of an attack on one kind of service is not what its attacker did elsewhere', () => {
  const flows = [...Array.from({ length: 8 }, () => ({ dstPort: 80 })), { dstPort: 22 }, { dstPort: 22 }];
  const told = sentence({ flows, says: 'brute_force_ssh' }, filled(), moved([3, 'SYN Flag Count', 3]));
  expect(told).toMatch(/^2 new TCP connections to port 22 of/);
});

test('a scan, a spoofed flood, a sweep and an upload each have their sentence', () => {
  const pairs = [burstSketch({ flows: 980, sinceUs: sketchStartUs + 9.5e6, hasServices: true })];
  expect(sentence({ burst: { pairs } })).toBe(
    '980 new TCP connections to many different ports of 192.168.1.20 from 203.0.113.9 within 500 ms, median answer 0 bytes',
  );
  const forged = Array.from({ length: 10 }, (_, index) => ({
    srcIp: `198.51.100.${index}`,
    protocol: 17,
    dstPort: 53,
    bwdPackets: 0,
  }));
  expect(sentence({ flows: forged })).toBe(
    '10 new UDP conversations to port 53 of 192.168.1.20 from 10 sources within 1 ms, none answered',
  );
  const services = [burstSketch({ flows: 9000, protocol: 17, dstPort: 53, hasSources: true })];
  expect(sentence({ flows: forged, burst: { services } })).toBe(
    '9,000 new UDP conversations to port 53 of 192.168.1.20 from 10 sources and others within 8 s, none answered',
  );
  const sweep = Array.from({ length: 10 }, (_, index) => ({ dstIp: `192.168.1.${index}`, protocol: 1, dstPort: 0 }));
  expect(sentence({ flows: sweep })).toBe(
    '10 new ICMP exchanges of 10 hosts from 203.0.113.9 within 1 ms, median answer 0 bytes',
  );
  const openers = [burstSketch({ flows: 254, protocol: 1, dstPort: 0, hasTargets: true })];
  expect(sentence({ flows: sweep, burst: { openers } })).toBe(
    '254 new ICMP exchanges of 10 hosts and others from 203.0.113.9 within 8 s, median answer 0 bytes',
  );
  const upload = {
    srcIp: '192.168.1.20',
    dstIp: '203.0.113.9',
    dstPort: 443,
    fwdPackets: 2000,
    fwdBytes: 3_400_000,
    bwdBytes: 4000,
    startedAtUs: sketchStartUs,
  };
  expect(sentence({ flows: [upload] })).toBe(
    'one TCP connection to port 443 of 203.0.113.9 from 192.168.1.20: 2,000 packets with 3.4 MB within 10 s, answer 4,000 bytes',
  );
});

test('a flood is told as the attacker’s where the capture lost the beginning of his conversations', () => {
  const answer = { srcIp: '192.168.1.20', dstIp: '203.0.113.9', srcPort: 80, direction: 'outbound' as const };
  const flows = Array.from({ length: 10 }, (_, index) => ({
    ...answer,
    dstPort: 40_000 + index,
    fwdPackets: 6,
    bwdPackets: 3,
    fwdBytes: 7587,
    bwdBytes: 80,
    synPackets: 0,
    ackPackets: 9,
  }));
  const told = sentence({ flows, says: 'ddos_flood' });
  expect(told).toMatch(
    /^10 new TCP connections to port 80 of 192\.168\.1\.20 from 203\.0\.113\.9 within .*, median answer 7,587 bytes/,
  );
});

test('only the flows that carried the score are told of', () => {
  const everyday = { srcIp: '192.168.1.20', dstIp: '192.168.1.1', protocol: 17, dstPort: 53 };
  const attack = { dstPort: 23 };
  const flows = [everyday, everyday, attack, attack, attack];
  const attributions = moved(
    [5, 'SYN Flag Count', -1],
    [7, 'SYN Flag Count', 2],
    [8, 'SYN Flag Count', 2],
    [9, 'SYN Flag Count', 2],
  );
  expect(sentence({ flows }, filled(), attributions)).toMatch(/^3 new TCP connections to port 23 of 192.168.1.20 /);
});

test('who came a moment ago and how often is said where it raised the score', () => {
  const flows = Array.from({ length: 10 }, () => ({ ...newcomer, dstPort: 22 }));
  const asks = (...cells: readonly (readonly [number, string, number])[]): string | undefined =>
    sentence({ flows }, filled([9, 'SYN Flag Count', 2]), moved(...cells)).split('; ')[1];
  expect(asks([9, 'Peer Known', 3], [9, 'SYN Flag Count', 2], [9, 'Recent Flows of Peer', 1])).toBe(
    'unusual: 203.0.113.9 known for 12 s (the device for 15 min), packets that open a connection 2 (normally 0)',
  );
  expect(asks([9, 'Recent Flows of Peer', 3], [8, 'Recent Flows', 2])).toBe(
    'unusual: 87 conversations with 203.0.113.9 lately, 91 conversations of the device lately',
  );
  // It spoke against the alert, or was next to nothing of what spoke for it.
  expect(asks([9, 'Peer Known', -3], [9, 'SYN Flag Count', 2])).toBe(
    'unusual: packets that open a connection 2 (normally 0)',
  );
  expect(asks([9, 'Flow Age', 49], [9, 'Peer Known', 1])).toMatch(/^no value stands out/);
});

test('a newcomer is who came late to a device that is known for two minutes, and ten minutes later is none', () => {
  const knownFor = (peerSeconds: number, deviceSeconds: number) => {
    const [deviceSinceUs, peerSinceUs] = [deviceSeconds, peerSeconds].map((ago) => sketchStartUs + (10 - ago) * 1e6);
    const context = contextOf({ flows: [{ ...newcomer, deviceSinceUs: deviceSinceUs!, peerSinceUs: peerSinceUs! }] });
    const attributions = moved([9, 'Peer Known', 3]);
    const window = {
      context,
      attack: 'port_scan',
      features: filled(),
      attributions,
      normal: undefined,
      bootId,
    } as const;
    const [{ direction, normal } = {}] = explainWindow(window).top_features;
    return { direction, normal };
  };
  // Everybody is new to a gateway that began a minute ago.
  expect(knownFor(8.6, 23)).toEqual({ direction: 'unknown', normal: null });
  expect(knownFor(8.6, 119)).toEqual({ direction: 'unknown', normal: null });
  expect(knownFor(8.6, 120)).toEqual({ direction: 'below', normal: 120 });
  expect(knownFor(70, 120)).toEqual({ direction: 'usual', normal: 120 });
  expect(knownFor(599, 864_000)).toEqual({ direction: 'below', normal: 864_000 });
  expect(knownFor(600, 864_000)).toEqual({ direction: 'usual', normal: 864_000 });
});

test('nobody is told of another’s deeds', () => {
  const visitor = { ...newcomer, srcIp: '203.0.113.21', dstPort: 80 };
  const flows = [visitor, ...Array.from({ length: 5 }, () => ({ ...newcomer, dstPort: 22 }))];
  const [ofVisitor, ofOffender] = [4, 9];
  const told = (flow: number, name: string): string =>
    sentence({ flows, says: 'brute_force_ssh' }, filled([flow, 'SYN Flag Count', 2]), moved([flow, name, 3]));
  expect(told(ofOffender, 'Peer Known')).toContain('203.0.113.9 known for 12 s');
  expect(told(ofVisitor, 'Recent Flows')).toContain('91 conversations of the device lately');
  expect(told(ofOffender, 'SYN Flag Count')).toContain('unusual: packets that open a connection 2');
  expect(told(ofOffender, 'Recent Flows of Peer')).toContain('87 conversations with 203.0.113.9 lately');
  for (const name of ['Peer Known', 'Recent Flows of Peer', 'SYN Flag Count', 'Packet Length Mean'])
    expect(told(ofVisitor, name)).toMatch(/ from 203\.0\.113\.9 within 1 ms, median answer 0 bytes$/);
});

test('where nothing is unusual it is told what the features that raised the score most are about', () => {
  const flows = Array.from({ length: 10 }, () => ({ dstPort: 80 }));
  const why = (...cells: readonly (readonly [number, string, number])[]): string | undefined =>
    sentence({ flows }, filled([9, 'Packet Length Mean', 52], [9, 'Destination Port', 80]), moved(...cells)).split(
      '; ',
    )[1];
  const told: readonly (readonly [number, string, number])[] = [
    [9, 'Flow Age', 50],
    [9, 'Peer Known', 10],
    [9, 'Packet Length Std', -5],
  ];
  expect(why(...told, [9, 'Packet Length Mean', 10], [9, 'Min Packet Length', 20], [9, 'Destination Port', 5])).toBe(
    'no value stands out, most weight: how new the conversations and their peers are (60 %), payload sizes (30 %)',
  );
  // all in all it spoke against: what raised it explains nothing
  expect(why([9, 'Flow Age', 4], [9, 'Packet Length Std', -5])).toBeUndefined();
});

test('how fast a moment was is no reason to a person', () => {
  const flows = Array.from({ length: 10 }, () => ({ dstPort: 80, startedAtUs: sketchStartUs }));
  const told = (lastsUs: number): string =>
    sentence(
      { flows: flows.map((flow) => ({ ...flow, lastPacketAtUs: sketchStartUs + lastsUs })) },
      filled([9, 'Flow Packets/s', 51_282]),
      moved([9, 'Flow Packets/s', 3]),
    );
  expect(told(1_000_000)).toContain('unusual: packet rate 51,282 packets/s');
  expect(told(39)).toMatch(/no value stands out, most weight: rates \(100 %\)$/);
});

test('nobody is a newcomer to a device that is not known for longer, and three conversations are not many', () => {
  const flows = [{ ...newcomer, deviceSinceUs: sketchStartUs - 3e6, recentOfPeer: 3 }];
  const attributions = moved([9, 'Peer Known', 3], [9, 'Recent Flows of Peer', 3]);
  expect(sentence({ flows }, filled(), attributions)).not.toContain('unusual');
  const many = [{ ...newcomer, recentOfPeer: 100 }];
  expect(sentence({ flows: many }, filled(), attributions)).toContain(
    '100 or more conversations with 203.0.113.9 lately',
  );
});

test('of a conversation that the device opened the peer is whom it went to', () => {
  const flows = [
    { ...newcomer, srcIp: '192.168.1.20', dstIp: '198.51.100.7', dstPort: 443, direction: 'outbound' as const },
  ];
  expect(sentence({ flows, says: 'botnet_beacon' }, filled(), moved([9, 'Peer Known', 3]))).toContain(
    'unusual: 198.51.100.7 known for 12 s (the device for 15 min)',
  );
});
