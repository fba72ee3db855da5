/** The owner wants everything undone, now. */
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  group: 'lockout',
  expectation:
    '`picket-agent fail-open` undoes everything in one command, while the agent runs; nothing comes back with a restart until `--resume`.',
  async run(field) {
    const agent = await field.startAgent();
    const { attacker, gateway } = field.network;
    await agent.add({ scope: 'ip', value: attacker.address });
    await field.expectReach('the host gets nothing', attacker, false);
    const undone = await agent.command('fail-open');
    field.expect('the command succeeds', undone.status === 0, undone.stdout + undone.stderr);
    await field.expectReach('the host gets a page', attacker, true);
    const tables = await gateway.must(['nft', 'list', 'tables']);
    field.expect('nothing of ours is in the kernel', !tables.includes('picket'), tables);
    await agent.program.stop('SIGKILL');
    agent.startAgain();
    await agent.untilReady(60_000);
    await field.expectReach('it stays so after a restart', attacker, true);
    const resumed = await agent.command('fail-open', '--resume');
    field.expect('it is resumed', resumed.status === 0, resumed.stdout + resumed.stderr);
    await field.expectSoon(
      'the block holds again',
      () => field.network.reachesDevice(attacker),
      (reaches) => !reaches,
    );
  },
};
