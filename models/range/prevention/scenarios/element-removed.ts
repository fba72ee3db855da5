/** Somebody takes one block out by hand, behind the agent's back. */
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  group: 'life cycle',
  expectation: 'nft delete element: the block comes back with what is left of its time, and the repair is counted.',
  async run(field) {
    const agent = await field.startAgent();
    const { attacker, gateway } = field.network;
    await agent.add({ scope: 'ip', value: attacker.address, duration_seconds: 300 });
    const held = await field.held(attacker.address);
    await gateway.nft(held.map(({ set }) => `delete element inet picket ${set} { ${attacker.address} }`).join('\n'));
    await field.expectSoon(
      'the kernel holds it again',
      () => field.held(attacker.address),
      ({ length }) => length === held.length,
    );
    const longest = Math.max(0, ...(await field.held(attacker.address)).map(({ expires }) => expires));
    field.expect('for no longer than before', longest > 0 && longest <= 300, longest);
    await field.expectReach('the host gets nothing', attacker, false);
    const { health } = (await agent.ask('GET', '/status')) as { health: { enforcement: { drift_repairs: number } } };
    field.expect('the repair is counted', health.enforcement.drift_repairs > 0, health.enforcement);
  },
};
