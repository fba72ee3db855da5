/** A port scan over IPv6. */
import { synScan6 } from '../attacks.ts';
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  group: 'attacks',
  attack: 'port_scan',
  expectation:
    'nmap -6 scans the device: the IPv6 peer is restricted in the kernel; the same host over IPv4 is another peer.',
  needs: ['nmap'],
  async run(field) {
    await field.startAgent();
    const { attacker, device } = field.network;
    await field.expectPing('it is answered over IPv6 before', attacker.namespace, device.address6);
    await field.attackUntilRestricted(attacker, synScan6(device.address6), '2001:db8:2::(?:66)?', {
      filter: `src host ${attacker.address6}`,
      isPattern: true,
    });
    const reaches6 = await field.network.pings(attacker.namespace, device.address6);
    field.expect('nothing comes back over IPv6', !reaches6, reaches6 ? 'a ping was answered' : 'no answer');
    await field.expectReach('over IPv4 it still gets a page', attacker, true);
  },
};
