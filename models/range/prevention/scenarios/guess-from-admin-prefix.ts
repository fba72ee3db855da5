/** Somebody guesses passwords from a prefix that administrators use. */
import { ftpGuessing } from '../attacks.ts';
import { tryPort } from '../conversations.ts';
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  group: 'lockout',
  expectation:
    'hydra guesses at a device over a management port, from inside an admin prefix: the guard is no shield for it, and it is cut.',
  needs: ['hydra', 'vsftpd'],
  network: { services: ['web', 'ftp'] },
  async run(field) {
    await field.startAgent({ guard: { admin_prefixes: ['192.0.2.0/24'], management_ports: [21] } });
    const { attacker, device, folder } = field.network;
    await field.attackUntilRestricted(attacker, ftpGuessing(folder, device.address), attacker.address);
    await field.expectReach('the attacker gets nothing afterwards', attacker, false);
    const answers = await tryPort(attacker.namespace, device.address, 21);
    field.expect('nor does it get to the management port of the device', !answers);
  },
};
