/** On one link anybody can speak in the name of another. */
import { expect, test } from 'vitest';
import { camera } from '../testing/judged-flows.ts';
import { Gateway, rule, talk, window } from '../testing/prevention-gateway.ts';
import type { JudgedFlow, JudgedWindow } from './judged-window.ts';

const [forger, neighbour] = ['02:00:00:00:00:66', '02:00:00:00:00:30'] as const;
/** `sent`: the MACs of its five flows; `mac`: who spoke last by then. */
const beaconOf = (at: number, mac: string | null, sent: readonly (string | null)[]): JudgedWindow => {
  const flow = { srcIp: camera, dstIp: '198.51.100.66', direction: 'outbound' as const };
  return {
    ...window(
      at,
      'botnet_beacon',
      sent.map((srcMac) => ({ ...flow, srcMac })),
    ),
    device: { address: camera, mac },
  };
};

test('whoever attacks in the name of a neighbour is quarantined for it, though the neighbour spoke last', () => {
  const gateway = new Gateway([rule({ device_ladder: ['quarantine'] })]);
  const windows = [0, 1].map((at) => beaconOf(at, neighbour, Array(5).fill(forger)));
  gateway.see(...windows);
  expect(gateway.words).toEqual([`quarantine device ${forger}`]);
});

test('what two sent under one address proves nothing against either; what is not known does not count', () => {
  const rules = [rule({ device_ladder: ['quarantine'] })];
  const gateway = new Gateway(rules);
  const both = [neighbour, forger, forger, forger, forger];
  gateway.see(beaconOf(0, neighbour, both), beaconOf(1, forger, both), beaconOf(2, neighbour, both));
  expect(gateway.words).toEqual([]);
  gateway.see(...[10, 11].map((at) => beaconOf(at, neighbour, [null, null, neighbour, null, neighbour])));
  expect(gateway.words).toEqual([`quarantine device ${neighbour}`]);
  const behindRouter = new Gateway(rules);
  behindRouter.see(...[0, 1].map((at) => beaconOf(at, null, Array(5).fill(forger))));
  expect(behindRouter.words, 'nobody is held by the MAC of a router').toEqual([`quarantine device ${camera}`]);
});

test('a neighbour that two speak for is not cut for what a device says of it', () => {
  const attacked = '192.168.1.99';
  const flows = (macs: readonly string[]): readonly Partial<JudgedFlow>[] =>
    macs.map((srcMac, index) => ({ ...talk, srcIp: camera, dstPort: index, direction: 'internal' as const, srcMac }));
  const scanned = (at: number, macs: readonly string[]): JudgedWindow =>
    window(
      at,
      'port_scan',
      flows(macs).map((flow) => ({ ...flow, fwdPackets: 1, bwdPackets: 1, fwdBytes: 0, bwdBytes: 0 })),
      attacked,
    );
  const own = beaconOf(0, neighbour, [neighbour]);
  const gateway = new Gateway([rule({ classes: ['port_scan'], device_ladder: ['quarantine'] })]);
  const mixed = [neighbour, forger, forger, forger, forger];
  gateway.see(own, scanned(1, mixed), scanned(2, mixed));
  expect(gateway.words).toEqual([]);
  gateway.see(scanned(10, Array(5).fill(forger)), scanned(11, Array(5).fill(forger)));
  expect(gateway.words).toEqual([`quarantine device ${forger}`]);
});
