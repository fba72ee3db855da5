/** Connections that never finish the body they announced. */
import { slowBodies } from '../attacks.ts';
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  group: 'attacks',
  attack: 'slow_rate',
  expectation: 'slowhttptest -B holds 150 connections: its address is dropped in the kernel.',
  needs: ['slowhttptest'],
  network: { services: ['web'] },
  async run(field) {
    await field.startAgent();
    const { attacker, target } = field.network;
    await field.expectReach('the attacker gets a page before', attacker, true);
    await field.attackUntilRestricted(attacker, slowBodies(target), attacker.address);
    await field.expectReach('the attacker gets nothing afterwards', attacker, false);
  },
};
