import { expect, test } from 'vitest';
import { defaultLanPrefixes } from '../devices/lan-prefixes.ts';
import { checkLanPrefixes, checkResolvers } from './doctor-network.ts';

test.each([
  [['192.168.1.1/24', 'fe80::1/64'], defaultLanPrefixes, 'ok'],
  [['192.168.1.1/24', '2001:db8:1::1/64'], defaultLanPrefixes, 'warning'],
  [['192.168.1.1/24', '2001:db8:1::1/64'], [...defaultLanPrefixes, '2001:db8:1::/48'], 'ok'],
  [['198.51.100.2/24'], defaultLanPrefixes, 'warning'],
  [['198.51.100.2/24'], ['198.51.100.0/25'], 'warning'],
  [[], defaultLanPrefixes, undefined],
] as const)('an interface with %j and a LAN of %j: %s', (onLink, lan, state) => {
  expect(checkLanPrefixes('br-lan', onLink, lan)[0]?.state).toBe(state);
});

test('the prefix that is missing is named as it is to be written', () => {
  const [finding] = checkLanPrefixes('br-lan', ['2001:db8:1::1/64', '2001:db8:1::aa/64'], defaultLanPrefixes);
  expect(finding?.detail).toMatch(/^2001:db8:1::\/64 on br-lan is not in lan_prefixes/);
});

test('a gateway whose resolver is not known is told where to name it', () => {
  expect(checkResolvers([])[0]).toMatchObject({ state: 'warning', detail: expect.stringContaining('never_block') });
  expect(checkResolvers(['192.0.2.53'])[0]).toMatchObject({
    state: 'ok',
    detail: expect.stringContaining('192.0.2.53'),
  });
});
