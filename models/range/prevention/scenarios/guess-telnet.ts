/** Passwords guessed at a device over telnet, which has no class of its own. */
import { telnetGuessing } from '../attacks.ts';
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  group: 'attacks',
  attack: 'other_attack',
  expectation: 'hydra guesses at telnetd: where a rule blocks other attacks, its address is dropped in the kernel.',
  needs: ['hydra', 'inetd', 'telnetd'],
  network: { services: ['web', 'telnet'] },
  async run(field) {
    await field.startAgent({ rules: [{ name: 'Stop other attacks', classes: ['other_attack'], action: 'block' }] });
    const { attacker, target, folder } = field.network;
    await field.expectReach('the attacker gets a page before', attacker, true);
    await field.attackUntilRestricted(attacker, telnetGuessing(folder, target), attacker.address);
    await field.expectReach('the attacker gets nothing afterwards', attacker, false);
  },
};
