/** Passwords guessed at a device over FTP. */
import { ftpGuessing } from '../attacks.ts';
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  group: 'attacks',
  attack: 'brute_force_ftp',
  expectation: 'hydra guesses at vsftpd with 8 connections: its address is dropped in the kernel.',
  needs: ['hydra', 'vsftpd'],
  network: { services: ['web', 'ftp'] },
  async run(field) {
    await field.startAgent();
    const { attacker, target, folder } = field.network;
    await field.expectReach('the attacker gets a page before', attacker, true);
    await field.attackUntilRestricted(attacker, ftpGuessing(folder, target), attacker.address, {
      refusals: `dst host ${attacker.address} and tcp src port 21 and tcp[((tcp[12] & 0xf0) >> 2):4] = 0x35333020`, // "530 "
    });
    await field.expectReach('the attacker gets nothing afterwards', attacker, false);
  },
};
