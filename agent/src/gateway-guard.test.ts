import { expect, test } from 'vitest';
import { isOtherNextHop, joinGuards, resolversOf } from './gateway-guard.ts';

const own = { admin_prefixes: ['192.168.1.10/32'], management_ports: [22], never_block: ['203.0.113.5'] };

test("what the owner's file lists holds beside whatever a policy says of the guard", () => {
  expect(joinGuards(own, { admin_prefixes: [], management_ports: [], never_block: [] })).toEqual(own);
  const policy = { admin_prefixes: ['10.0.0.0/24'], management_ports: [22, 8443], never_block: ['203.0.113.5'] };
  expect(joinGuards(own, policy)).toEqual({
    admin_prefixes: ['192.168.1.10/32', '10.0.0.0/24'],
    management_ports: [22, 8443],
    never_block: ['203.0.113.5'],
  });
});

test('a next hop that speaks with another MAC is news; what the guard knows, and other neighbours, are not', () => {
  const guard = {
    defaultRoutes: ['192.0.2.1', 'fe80::1'],
    defaultRouteMacs: ['02:00:00:00:00:01'],
    defaultRouteLinks: ['wan0'],
  };
  const isNews = (address: string, mac: string, link = 'wan0'): boolean =>
    isOtherNextHop(guard, { address, mac, link });
  expect(isNews('192.0.2.1', '02:00:00:00:00:02')).toBe(true);
  expect(isNews('fe80::1', '02:00:00:00:00:02')).toBe(true);
  expect(isNews('192.0.2.1', '02:00:00:00:00:01')).toBe(false);
  expect(isNews('192.0.2.9', '02:00:00:00:00:02')).toBe(false);
  expect(isNews('192.0.2.1', '02:00:00:00:00:02', 'lan0'), 'a device says so').toBe(false);
});

test('a resolver that the gateway was connected to within the hour is one still, and of many the latest are', () => {
  const dnsServers = ['192.0.2.53'];
  expect(resolversOf({ dnsServers, openResolvers: ['192.0.2.54'] }, 0)).toEqual(['192.0.2.53', '192.0.2.54']);
  expect(resolversOf({ dnsServers, openResolvers: [] }, 3_600_000)).toEqual(['192.0.2.53', '192.0.2.54']);
  expect(resolversOf({ dnsServers, openResolvers: [] }, 3_600_001)).toEqual(dnsServers);
  const many = Array.from({ length: 20 }, (_, host) => `198.51.100.${host}`);
  expect(resolversOf({ dnsServers: [], openResolvers: many }, 4_000_000)).toEqual(many.slice(-8));
});
