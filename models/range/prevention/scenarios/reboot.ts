/** The gateway loses power: its kernel begins with nothing, its disk is as it was. */
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  group: 'life cycle',
  expectation:
    'After a power cut the namespace is made anew from nothing; the block comes back from disk with the time that is left, not more.',
  async run(field) {
    const agent = await field.startAgent();
    const { network } = field;
    const { attacker, gateway } = network;
    await agent.add({ scope: 'ip', value: attacker.address, duration_seconds: 600 });
    const [before] = await agent.decisions();
    await field.withoutClient(async () => {
      await agent.program.stop('SIGKILL');
      await network.rebootGateway();
      const ruleset = await gateway.must(['nft', 'list', 'ruleset']);
      field.expect('the new kernel holds nothing', ruleset.trim() === '', ruleset);
      agent.startAgain();
      await agent.untilReady(60_000);
    });
    await field.expectReach('the attacker gets nothing', attacker, false);
    const [after] = await agent.decisions();
    field.expect(
      'the decision has the same end',
      after?.in_kernel === true &&
        Date.parse(after.decision.expires_at) <= Date.parse(before?.decision.expires_at ?? ''),
      after,
    );
    const longest = Math.max(0, ...(await field.held(attacker.address)).map(({ expires }) => expires));
    field.expect('the kernel gives it no more than is left', longest > 0 && longest < 600, longest);
  },
};
