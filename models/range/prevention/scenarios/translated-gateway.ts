/** The gateway hides the LAN behind its own address and forwards two ports. */
import { ftpGuessing } from '../attacks.ts';
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  group: 'networks',
  expectation:
    'Behind address translation: who guesses passwords through the forwarded port is cut, not the gateway and not the device.',
  needs: ['hydra', 'vsftpd'],
  network: { services: ['web', 'ftp'], forwarding: 'translated' },
  async run(field) {
    await field.startAgent();
    const { attacker, target, folder, device } = field.network;
    await field.expectReach('the attacker gets a page before', attacker, true);
    await field.attackUntilRestricted(attacker, ftpGuessing(folder, target), attacker.address);
    await field.expectReach('the attacker gets nothing afterwards', attacker, false);
    await field.expectPing('the device still reaches the outside', device.namespace, field.network.bystander.address);
  },
};
