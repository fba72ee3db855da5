import { expect, test } from 'vitest';
import { trafficClasses, type TrafficClass } from '../features/traffic-classes.ts';
import type { JudgedFlow } from './judged-window.ts';
import { likeliestAttack, servicePortFit } from './service-ports.ts';
import { knock } from '../testing/judged-flows.ts';

const device = { address: '192.168.1.20', mac: null };

/** What is called the likeliest where the first is likelier than the second, in a window of these flows. */
function nameOf(likeliest: TrafficClass, second: TrafficClass, flows: readonly Partial<JudgedFlow>[]): string {
  const probabilities = trafficClasses.map((name) => (name === likeliest ? 0.6 : name === second ? 0.3 : 0.01));
  return likeliestAttack(probabilities, {
    device,
    flows: flows.map((flow) => ({ ...knock, dstIp: device.address, ...flow })),
  });
}

test('nobody guesses passwords of ssh where web pages are served', () => {
  const pages = [{ dstPort: 80 }, { dstPort: 443 }];
  expect(nameOf('brute_force_ssh', 'slow_rate', pages)).toBe('slow_rate');
  expect(nameOf('brute_force_ssh', 'slow_rate', [...pages, { dstPort: 22 }])).toBe('brute_force_ssh');
  expect(nameOf('brute_force_ssh', 'slow_rate', [{ dstPort: 22, protocol: 17 }])).toBe('slow_rate');
});

test('a port that is known for nothing may be anything', () => {
  expect(nameOf('brute_force_ftp', 'port_scan', [{ dstPort: 26_503 }])).toBe('brute_force_ftp');
  expect(nameOf('web_sqli', 'port_scan', [{ dstPort: 26_503 }])).toBe('web_sqli');
  const pages = [{ dstPort: 80 }, { dstPort: 80 }, { dstPort: 443 }];
  expect(nameOf('brute_force_ssh', 'slow_rate', [...pages, ...pages, { dstPort: 49_152 }])).toBe('slow_rate');
});

test('who begins two conversations at a port that is known for nothing is served there, however many pages are beside them', () => {
  const pages = Array.from({ length: 8 }, () => ({ dstPort: 443 }));
  const guess = { srcIp: '203.0.113.66', dstPort: 40_022, synPackets: 2 };
  expect(nameOf('brute_force_ssh', 'slow_rate', [...pages, guess, guess])).toBe('brute_force_ssh');
  const { synPackets: _unknown, ...stored } = guess;
  expect(nameOf('brute_force_ssh', 'slow_rate', [...pages, stored, stored])).toBe('brute_force_ssh');
  // one of each, or the rest of a conversation that was begun at the other end
  for (const other of [
    { ...guess, dstPort: 49_152 },
    { ...guess, srcIp: '203.0.113.67' },
    { ...guess, synPackets: 0 },
    { ...guess, protocol: 17 },
  ])
    expect(nameOf('brute_force_ssh', 'slow_rate', [...pages, guess, other]), JSON.stringify(other)).toBe('slow_rate');
});

test('only who opens a flow beacons or uploads', () => {
  const fromOutside = { srcIp: '203.0.113.9' };
  const byNeighbour = { srcIp: '192.168.1.21', direction: 'internal' } as const;
  const itsOwn = { srcIp: device.address, dstIp: '203.0.113.9', direction: 'outbound' } as const;
  expect(nameOf('botnet_beacon', 'port_scan', [fromOutside, byNeighbour])).toBe('port_scan');
  expect(nameOf('botnet_beacon', 'port_scan', [fromOutside, itsOwn])).toBe('botnet_beacon');
  expect(nameOf('data_exfiltration', 'port_scan', [{ ...byNeighbour, srcIp: device.address }])).toBe(
    'data_exfiltration',
  );
});

test('a window whose flows are no longer known is named by the network alone', () => {
  expect(nameOf('brute_force_ssh', 'slow_rate', [])).toBe('brute_force_ssh');
});

test('a class that attacks whatever there is fits any port', () => {
  expect(servicePortFit('port_scan', 80)).toBeUndefined();
  expect(servicePortFit('web_xss', 8080)).toBe(1);
  expect(servicePortFit('web_xss', 22)).toBe(0);
  expect(servicePortFit('web_xss', 1883)).toBe(0);
  expect(servicePortFit('web_xss', 40_718)).toBe(0.5);
});
