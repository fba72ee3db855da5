/** The agent is two processes, and one of them dies. */
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  group: 'life cycle',
  expectation:
    'The process that reads packets holds no right to the network; kill -9 of it alone ends both, blocks stay, and the next start takes them up.',
  async run(field) {
    const agent = await field.startAgent();
    const { network } = field;
    const { attacker, gateway } = network;
    await agent.add({ scope: 'ip', value: attacker.address });
    const ids = (await gateway.must(['ip', 'netns', 'pids', gateway.name])).split('\n').filter(Boolean);
    const agents: { readonly id: string; readonly rights: bigint }[] = [];
    for (const id of ids) {
      const { stdout } = await gateway.run(['grep', '-aE', '^(Name|CapEff):', `/proc/${id}/status`]);
      const command = (await gateway.run(['cat', `/proc/${id}/cmdline`])).stdout.replaceAll('\0', ' ');
      const rights = /CapEff:\s+([0-9a-f]+)/.exec(stdout)?.[1];
      if (rights !== undefined && command.includes('agent/src/main.ts run'))
        agents.push({ id, rights: BigInt(`0x${rights}`) });
    }
    const bare = agents.filter(({ rights }) => rights === 0n);
    field.expect(
      'one of its processes has no right at all',
      bare.length === 1,
      agents.map(({ id, rights }) => `${id}: ${rights.toString(16)}`).join(', '),
    );
    await gateway.run(['kill', '-9', bare[0]?.id ?? '0']);
    await field.expectSoon(
      'the other one ends',
      async () => agent.program.exitCode,
      (code) => code !== null,
    );
    await field.expectReach('the host gets nothing', attacker, false);
    agent.startAgain();
    await agent.untilReady(60_000);
    const [held] = await agent.decisions();
    field.expect('the next start takes it up', held?.in_kernel === true, held);
  },
};
