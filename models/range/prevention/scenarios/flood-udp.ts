/** A flood of datagrams from one address. */
import { udpFlood } from '../attacks.ts';
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  group: 'attacks',
  attack: 'ddos_flood',
  expectation: 'hping3 sends 1,000 datagrams a second to one port: its address is dropped in the kernel.',
  needs: ['hping3'],
  network: { services: ['web'] },
  async run(field) {
    await field.startAgent();
    const { attacker, target } = field.network;
    await field.expectReach('the attacker gets a page before', attacker, true);
    await field.attackUntilRestricted(attacker, udpFlood(target), attacker.address);
    await field.expectReach('the attacker gets nothing afterwards', attacker, false);
  },
};
