/** Passwords guessed at a device over ssh. */
import { sshGuessing } from '../attacks.ts';
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  group: 'attacks',
  attack: 'brute_force_ssh',
  expectation: 'hydra guesses at sshd with 16 connections: its address is dropped in the kernel.',
  needs: ['hydra', 'sshd'],
  network: { services: ['web', 'ssh'] },
  async run(field) {
    await field.startAgent();
    const { attacker, target, folder } = field.network;
    await field.expectReach('the attacker gets a page before', attacker, true);
    await field.attackUntilRestricted(attacker, sshGuessing(folder, target), attacker.address);
    await field.expectReach('the attacker gets nothing afterwards', attacker, false);
  },
};
