/** A flood of honest-looking requests. */
import { requestFlood } from '../attacks.ts';
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  group: 'attacks',
  attack: 'ddos_flood',
  expectation: 'ab asks for pages as fast as the server answers: its address is dropped in the kernel.',
  needs: ['ab'],
  network: { services: ['web'] },
  async run(field) {
    await field.startAgent();
    const { attacker, target } = field.network;
    await field.expectReach('the attacker gets a page before', attacker, true);
    await field.attackUntilRestricted(attacker, requestFlood(target), attacker.address);
    await field.expectReach('the attacker gets nothing afterwards', attacker, false);
  },
};
