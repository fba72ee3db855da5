/** Somebody takes the rules out and leaves the sets, so that every element still looks fine. */
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  group: 'life cycle',
  expectation:
    'nft flush table inet picket: elements without rules count as lost; the block is back, and the repair is counted.',
  async run(field) {
    const agent = await field.startAgent();
    const { attacker, gateway } = field.network;
    await agent.add({ scope: 'ip', value: attacker.address });
    await field.expectReach('the attacker gets nothing', attacker, false);
    await gateway.nft('flush table inet picket');
    await field.expectSoon(
      'the kernel holds the block again',
      () => field.network.reachesDevice(attacker),
      (reaches) => !reaches,
    );
    const [listed] = await agent.decisions();
    field.expect('the agent says that the kernel holds it', listed?.in_kernel === true, listed);
    const { health } = (await agent.ask('GET', '/status')) as {
      health: { enforcement: { drift_repairs: number } };
    };
    field.expect('the repair is counted', health.enforcement.drift_repairs > 0, health.enforcement);
  },
};
