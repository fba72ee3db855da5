/** Whom the flows of a window point to, beside the everyday life of its device. */
import { expect, test } from 'vitest';
import { camera } from '../testing/judged-flows.ts';
import { offenderOf, outbound, peers } from '../testing/offenders.ts';
import { times } from '../testing/prevention-gateway.ts';

const everyday = outbound('198.51.100.80', {
  dstPort: 8883,
  fwdPackets: 40,
  bwdPackets: 40,
  fwdBytes: 4000,
  bwdBytes: 4000,
});

test('an outside scanner is found among the flows that the device opens every day', () => {
  const flows = [...times(5, () => everyday), ...times(5, () => ({ srcIp: '203.0.113.9' }))];
  expect(offenderOf('port_scan', flows)).toMatchObject(peers('203.0.113.9'));
});

test('who guesses passwords is named, though a forged flood of pages fills the rest of the window', () => {
  const flows = [
    ...times(6, (host) => ({ srcIp: `198.51.100.${host + 1}`, dstPort: 80 })),
    ...times(4, () => ({ srcIp: '203.0.113.9', dstPort: 22 })),
  ];
  expect(offenderOf('brute_force_ssh', flows)).toMatchObject(peers('203.0.113.9'));
  expect(offenderOf('ddos_flood', flows)).toMatchObject({ kind: 'target' });
});

test('who guesses passwords at a port of no known service is named, beside those who visit others', () => {
  const flows = [
    ...times(5, () => ({ srcIp: '198.51.100.1', dstPort: 443 })),
    ...times(3, () => ({ srcIp: '203.0.113.9', dstPort: 26_503 })),
  ];
  expect(offenderOf('brute_force_ssh', flows)).toMatchObject(peers('203.0.113.9'));
});

test('who guesses passwords is told from who only visits by the port', () => {
  const flows = [
    ...times(6, () => ({ srcIp: '198.51.100.1', dstPort: 443 })),
    ...times(4, () => ({ srcIp: '203.0.113.9', dstPort: 22 })),
  ];
  expect(offenderOf('brute_force_ssh', flows)).toMatchObject(peers('203.0.113.9'));
});

test('the attribution of the score to flows decides between hosts that look alike', () => {
  const flows = [...times(6, () => ({ srcIp: '198.51.100.1' })), ...times(4, () => ({ srcIp: '203.0.113.9' }))];
  const flowImportance = [0, 0, 0, -0.1, 0, 0, 0.2, 0.2, 0.2, 0.3];
  expect(offenderOf('other_attack', flows, { flowImportance })).toMatchObject(peers('203.0.113.9'));
  expect(offenderOf('other_attack', flows)).toMatchObject(peers('198.51.100.1'));
});

test('one log-in of an admin in the middle of password guessing does not make the admin the attacker', () => {
  const flows = [
    ...times(3, () => ({ srcIp: '203.0.113.9', dstPort: 22 })),
    ...times(2, () => ({ srcIp: '192.168.1.2', dstPort: 80, direction: 'internal' as const })),
    { srcIp: '192.168.1.2', dstPort: 22, direction: 'internal' as const },
  ];
  // as the network explained such a window of the bundled capture
  const flowImportance = [0.055, -0.025, 0.121, 0.067, 0.066, 0.176];
  expect(offenderOf('brute_force_ssh', flows, { flowImportance })).toMatchObject(peers('203.0.113.9'));
});

test('a device that scans many hosts is the offender, and one that attacks a single host names it', () => {
  expect(
    offenderOf(
      'port_scan',
      times(10, (host) => outbound(`198.51.100.${host}`, { dstPort: 23 })),
    ),
  ).toEqual({
    kind: 'device',
    isInside: false,
  });
  expect(
    offenderOf(
      'brute_force_ssh',
      times(10, () => outbound('198.51.100.7', { dstPort: 22 })),
    ),
  ).toEqual({
    kind: 'destination',
    isInside: false,
    peer: '198.51.100.7',
  });
});

test('a beacon and a leak point to their destination, whoever else talks to the device', () => {
  const visits = times(6, () => ({ srcIp: '203.0.113.9', fwdBytes: 500 }));
  expect(offenderOf('botnet_beacon', [...visits, ...times(4, () => outbound('198.51.100.66'))])).toEqual({
    kind: 'destination',
    isInside: false,
    peer: '198.51.100.66',
  });
  const leak = outbound('198.51.100.99', { fwdBytes: 5_000_000 });
  expect(offenderOf('data_exfiltration', [...times(9, () => everyday), leak])).toEqual({
    kind: 'destination',
    isInside: false,
    peer: '198.51.100.99',
  });
});

test('what a device says to a group of hosts makes nobody a destination', () => {
  const discovery = outbound('239.255.255.250', { protocol: 17, dstPort: 1900 });
  expect(offenderOf('botnet_beacon', [...times(9, () => discovery), outbound('198.51.100.66')])).toEqual({
    kind: 'destination',
    isInside: false,
    peer: '198.51.100.66',
  });
  expect(
    offenderOf(
      'botnet_beacon',
      times(10, () => discovery),
    ),
  ).toEqual({ kind: 'target', service: null });
});

test('between two devices the one that opened the flows is the offender, from either window', () => {
  const flow = { srcIp: '192.168.1.66', dstIp: camera, direction: 'internal', dstPort: 22 } as const;
  expect(
    offenderOf(
      'brute_force_ssh',
      times(10, () => flow),
    ),
  ).toMatchObject({ kind: 'peers', peers: ['192.168.1.66'], isInside: true });
  expect(
    offenderOf(
      'brute_force_ssh',
      times(10, () => flow),
      { device: '192.168.1.66' },
    ),
  ).toEqual({
    kind: 'destination',
    isInside: true,
    peer: camera,
  });
});

test("behind the gateway's own address nobody is called an attacker", () => {
  const relayed = times(10, () => ({ srcIp: '192.168.1.1', direction: 'internal' as const, dstPort: 22 }));
  expect(offenderOf('brute_force_ssh', relayed)).toMatchObject({ kind: 'peers', peers: ['192.168.1.1'] });
  expect(offenderOf('brute_force_ssh', relayed, { ownAddresses: ['192.168.1.1'] })).toEqual({
    kind: 'target',
    service: null,
  });
});

test('an attacker who moves within one /64 is one attacker', () => {
  const flows = [
    ...times(6, (index) => ({ srcIp: `2001:db8:bad::${index + 1}`, dstPort: 22 })),
    ...times(4, () => ({ srcIp: '2001:db8:600d::1', dstPort: 22 })),
  ];
  expect(offenderOf('brute_force_ssh', flows)).toMatchObject(peers('2001:db8:bad::1'));
});
