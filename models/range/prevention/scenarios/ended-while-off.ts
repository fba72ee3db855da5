/** A block ends while nobody is there. */
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  group: 'life cycle',
  expectation:
    'A block whose time is up while the agent is dead ends in the kernel, and does not come back with the next start.',
  async run(field) {
    const agent = await field.startAgent();
    const { attacker } = field.network;
    await agent.add({ scope: 'ip', value: attacker.address, duration_seconds: 20 });
    await agent.program.stop('SIGKILL');
    await field.expectReach('the host gets nothing', attacker, false);
    await field.expectSoon(
      'the kernel ends it',
      () => field.held(attacker.address),
      ({ length }) => length === 0,
    );
    agent.startAgain();
    await agent.untilReady(60_000);
    await field.expectReach('the host gets a page', attacker, true);
    field.expect('the agent lists nothing', (await agent.decisions()).length === 0, await agent.decisions());
  },
};
