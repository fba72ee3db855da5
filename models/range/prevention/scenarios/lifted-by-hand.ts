/** What the owner does at the gateway's command line. */
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  group: 'restrictions',
  expectation: '`picket-agent decisions add`, `list` and `delete`: the kernel follows at once, nobody else is touched.',
  async run(field) {
    const agent = await field.startAgent();
    const { attacker } = field.network;
    const added = await agent.command('decisions', 'add', '--ip', attacker.address, '--duration', '10m');
    field.expect('it is added', added.status === 0, added.stdout + added.stderr);
    await field.expectReach('the host gets nothing', attacker, false);
    const { stdout: listed } = await agent.command('decisions', 'list');
    field.expect('it is listed', listed.includes(attacker.address), listed);
    const deleted = await agent.command('decisions', 'delete', attacker.address);
    field.expect('it is lifted', deleted.status === 0, deleted.stdout + deleted.stderr);
    field.expect('the kernel has forgotten it', (await field.held(attacker.address)).length === 0);
    await field.expectReach('the host gets a page again', attacker, true);
  },
};
