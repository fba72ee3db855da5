/** A flood of connections that are opened, used once and left. */
import { connectionFlood } from '../attacks.ts';
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  group: 'attacks',
  attack: 'ddos_flood',
  expectation: 'Hundreds of connections a second from one address: it is dropped in the kernel.',
  needs: [],
  network: { services: ['web'] },
  async run(field) {
    await field.startAgent();
    const { attacker, target } = field.network;
    await field.expectReach('the attacker gets a page before', attacker, true);
    await field.attackUntilRestricted(attacker, connectionFlood(target), attacker.address);
    await field.expectReach('the attacker gets nothing afterwards', attacker, false);
  },
};
