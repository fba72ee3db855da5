/** Flows that their source was not seen to send: a router brought them, or somebody who speaks for many. */
import { expect, test } from 'vitest';
import { flowBatchOf, type FlowRow } from '../testing/flow-rows.ts';
import { DeviceRegistry } from './device-registry.ts';

const hourUs = 3600 * 1e6;

test('who begins to speak for many was not seen to be sent by any of them; what was always behind a router was', () => {
  const [router, attacker, neighbour] = ['02:00:00:00:00:01', '02:00:00:00:00:66', '02:00:00:00:00:30'];
  const registry = new DeviceRegistry({ relayMacs: ['02:00:00:00:00:99'] });
  const isRelayed = (src: string, srcMac: string, atUs: number): boolean => {
    const batch = flowBatchOf([{ src, dst: '192.168.1.20', srcMac, lastPacketAtUs: atUs }]);
    registry.attribute(batch, 0);
    return registry.isRelayed(batch, 0);
  };
  for (let host = 1; host <= 9; host++) expect(isRelayed(`10.9.0.${host}`, router, host)).toBe(false);
  expect(isRelayed('192.168.1.30', neighbour, 10)).toBe(false);
  expect(isRelayed('192.168.1.66', attacker, 11)).toBe(false);
  const forged = ['192.168.1.30', '192.168.1.31', '192.168.1.32', '192.168.1.33'];
  const later = forged.map((src, index) => isRelayed(src, attacker, hourUs + index));
  expect(later, 'a host with a few addresses, until there are too many').toEqual([false, false, true, true]);
  for (const src of forged) expect(isRelayed(src, attacker, hourUs + 10)).toBe(true);
  expect(isRelayed('192.168.1.66', attacker, hourUs + 20), 'what he says for himself').toBe(false);
  expect(isRelayed('192.168.1.30', neighbour, hourUs + 30), 'and what the neighbour says').toBe(false);
  expect(isRelayed('10.9.0.1', router, hourUs + 40)).toBe(false);
});

test('what a known router brought, or was first seen by its answer, was not seen to be sent by its source', () => {
  const [router, nextHop, device] = ['02:00:00:00:00:01', '02:00:00:00:00:99', '02:00:00:00:00:20'];
  const registry = new DeviceRegistry({ relayMacs: [router] });
  const isRelayed = (macs: Pick<FlowRow, 'srcMac' | 'dstMac'>): boolean =>
    registry.isRelayed(flowBatchOf([{ src: '192.168.1.20', dst: '192.168.1.30', ...macs }]), 0);
  expect(isRelayed({ srcMac: router, dstMac: device })).toBe(true);
  expect(isRelayed({ dstMac: router }), 'an answer is all that was seen').toBe(true);
  expect(isRelayed({ srcMac: device, dstMac: router })).toBe(false);
  expect(isRelayed({ srcMac: device }), 'a cooked capture names the sender alone').toBe(false);
  expect(isRelayed({}), 'a link without MACs tells nothing').toBe(false);
  expect(isRelayed({ srcMac: nextHop })).toBe(false);
  registry.useRelayMacs([router, nextHop]);
  expect(isRelayed({ srcMac: nextHop }), 'learned when the network changed').toBe(true);
  registry.useRelayMacs([]);
  expect(isRelayed({ srcMac: router }), 'of a capture from elsewhere nothing is known').toBe(false);
});

test('what arrives on the way out from beyond its link is nobody’s first word, whichever router brought it', () => {
  const [leg, lan, otherRouter, device] = [
    '02:00:00:00:00:01',
    '02:00:00:00:00:02',
    '00:00:5e:00:01:07',
    '02:00:00:00:00:20',
  ];
  const registry = new DeviceRegistry({
    relayMacs: [leg, lan],
    outsideLegs: [{ mac: leg, subnets: ['203.0.113.2/24', '192.168.0.2/24'] }],
  });
  const see = (src: string, srcMac: string, dstMac: string): boolean => {
    const batch = flowBatchOf([{ src, dst: '198.51.100.9', srcMac, dstMac }]);
    registry.attribute(batch, 0);
    return registry.isRelayed(batch, 0);
  };
  expect(see('192.168.1.20', otherRouter, leg), 'forged beyond a router that is not the next hop').toBe(true);
  expect(registry.addressesOf(otherRouter)).toEqual([]);
  expect(registry.takeSightings()).toMatchObject([{ device: { address: '192.168.1.20', mac: null } }]);
  expect(see('192.168.1.20', device, lan)).toBe(false);
  expect(registry.addressesOf(device)).toEqual(['192.168.1.20']);
  expect(see('192.168.1.20', otherRouter, leg)).toBe(true);
  expect(registry.addressesOf(device), 'nor does it take a known MAC away').toEqual(['192.168.1.20']);
  expect(see('192.168.0.9', device, leg), 'a neighbour on the link itself').toBe(false);
  registry.useOutsideLegs([]);
  expect(see('192.168.1.20', otherRouter, leg), 'learned when the network changed').toBe(false);
});
