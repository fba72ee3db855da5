/** A cable is pulled out and put back. */
import { synScan } from '../attacks.ts';
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  group: 'life cycle',
  expectation: 'The watched interface goes down and up: blocks hold, and the next attack is seen and cut as before.',
  needs: ['nmap'],
  async run(field) {
    const agent = await field.startAgent();
    const { attacker, gateway, target } = field.network;
    await agent.add({ scope: 'ip', value: '192.0.2.99' });
    await field.withoutClient(async () => {
      await gateway.ip(['link set lan0 down', 'link set lan0 up']);
      // going down takes the long address with it
      await gateway.ip(['-6 address replace fd77:0:0::1/64 dev lan0 nodad']);
      await field.expectSoon('the devices are in reach again', () => field.network.reachesDevice(attacker), Boolean);
    });
    field.expect('the block holds', (await field.held('192.0.2.99')).length > 0);
    await field.expectSoon(
      'the agent answers',
      () =>
        agent.ask('GET', '/status').then(
          () => true,
          () => false,
        ),
      Boolean,
    );
    await field.attackUntilRestricted(attacker, synScan(target), attacker.address);
    await field.expectReach('the attacker gets nothing afterwards', attacker, false);
  },
};
