/** A flood of connections that are opened, used once and left. */
import { connectionFlood } from '../attacks.ts';
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  group: 'attacks',
  awaits:
    'a model bundle that is sure of it at once; cnn-lstm-4 scores it 0.7 to 0.95 and needed 2 s once and 44 s five times',
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
