/** A decision runs out. */
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  group: 'life cycle',
  expectation: 'A block of eight seconds is in force, ends by itself on time, and the agent lists nothing afterwards.',
  async run(field) {
    const agent = await field.startAgent();
    const { attacker } = field.network;
    const began = Date.now();
    await agent.add({ scope: 'ip', value: attacker.address, duration_seconds: 8 });
    await field.expectReach('the attacker gets nothing', attacker, false);
    await field.expectSoon(
      'the kernel ends it',
      () => field.held(attacker.address),
      ({ length }) => length === 0,
    );
    field.expect('not before its time', Date.now() - began >= 6500, `${Date.now() - began} ms`);
    await field.expectReach('the attacker gets a page again', attacker, true);
    await field.expectSoon(
      'the agent lists nothing',
      () => agent.decisions(),
      ({ length }) => length === 0,
    );
  },
};
