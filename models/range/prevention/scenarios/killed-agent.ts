/** The agent dies without a word. */
import { synScan } from '../attacks.ts';
import type { Scenario } from '../scenario.ts';

const blockSeconds = 30;
const rule = { name: 'Cut it off', action: 'block', duration_seconds: blockSeconds };

export const scenario: Scenario = {
  group: 'life cycle',
  expectation: 'kill -9: the block it made goes on without it, and the kernel ends it by itself in time.',
  needs: ['nmap'],
  async run(field) {
    const agent = await field.startAgent({ rules: [rule] });
    const { attacker, target } = field.network;
    const attack = await field.attackUntilRestricted(attacker, synScan(target), attacker.address);
    await agent.program.stop('SIGKILL');
    await attack.stop('SIGKILL');
    const held = await field.held(attacker.address);
    const longest = Math.max(0, ...held.map(({ expires }) => expires));
    field.expect('the kernel still holds the block', held.length > 0, held);
    field.expect(`for ${blockSeconds} s at most`, longest > 0 && longest <= blockSeconds, longest);
    await field.expectReach('the attacker gets nothing', attacker, false);
    await field.expectSoon(
      'the kernel ends it',
      () => field.held(attacker.address),
      ({ length }) => length === 0,
    );
    await field.expectReach('the attacker gets a page again', attacker, true);
  },
};
