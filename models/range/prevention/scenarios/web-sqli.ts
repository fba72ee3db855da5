/** Injection of SQL into a careless application. */
import { sqlInjection } from '../attacks.ts';
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  group: 'attacks',
  attack: 'web_sqli',
  expectation: 'Requests that carry SQL, ten a second: their sender is dropped in the kernel.',
  needs: [],
  network: { services: ['web', 'application'] },
  async run(field) {
    await field.startAgent();
    const { attacker, target } = field.network;
    await field.expectReach('the attacker gets a page before', attacker, true);
    await field.attackUntilRestricted(attacker, sqlInjection(target), attacker.address);
    await field.expectReach('the attacker gets nothing afterwards', attacker, false);
  },
};
