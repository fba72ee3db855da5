/** A port scan with datagrams. */
import { udpScan } from '../attacks.ts';
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  group: 'attacks',
  attack: 'port_scan',
  expectation: 'nmap -sU: its address is dropped in the kernel.',
  needs: ['nmap'],
  network: { services: ['web'] },
  async run(field) {
    await field.startAgent();
    const { attacker, target } = field.network;
    await field.expectReach('the attacker gets a page before', attacker, true);
    await field.attackUntilRestricted(attacker, udpScan(target), attacker.address);
    await field.expectReach('the attacker gets nothing afterwards', attacker, false);
  },
};
