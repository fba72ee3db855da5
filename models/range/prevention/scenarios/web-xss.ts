/** Scripts smuggled into the pages of a careless application. */
import { crossSiteScripting } from '../attacks.ts';
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  group: 'attacks',
  attack: 'web_xss',
  expectation: 'Requests that carry scripts, ten a second: their sender is dropped in the kernel.',
  needs: [],
  network: { services: ['web', 'application'] },
  async run(field) {
    await field.startAgent();
    const { attacker, target } = field.network;
    await field.expectReach('the attacker gets a page before', attacker, true);
    await field.attackUntilRestricted(attacker, crossSiteScripting(target), attacker.address);
    await field.expectReach('the attacker gets nothing afterwards', attacker, false);
  },
};
