/** The owner wants everything undone, and the agent is dead. */
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  group: 'lockout',
  expectation: '`picket-agent fail-open` undoes everything in one command after the agent was killed.',
  async run(field) {
    const agent = await field.startAgent();
    const { attacker } = field.network;
    await agent.add({ scope: 'ip', value: attacker.address });
    await agent.program.stop('SIGKILL');
    await field.expectReach('the host gets nothing', attacker, false);
    const undone = await agent.command('fail-open');
    field.expect('the command succeeds', undone.status === 0, undone.stdout + undone.stderr);
    await field.expectReach('the host gets a page', attacker, true);
  },
};
