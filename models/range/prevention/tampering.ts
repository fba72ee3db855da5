/** Somebody changes the private table behind the agent's back: what is lost is back by itself, and it is counted. */
import type { Scenario } from './scenario.ts';

/** `script` is what that somebody loads with nft. */
export function tampering(expectation: string, script: string): Scenario {
  return {
    group: 'life cycle',
    expectation,
    async run(field) {
      const agent = await field.startAgent();
      const { attacker, gateway } = field.network;
      await agent.add({ scope: 'ip', value: attacker.address });
      await field.expectReach('the attacker gets nothing', attacker, false);
      await gateway.nft(script);
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
}
