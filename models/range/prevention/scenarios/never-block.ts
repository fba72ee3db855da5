/** The owner's list. */
import { synScan } from '../attacks.ts';
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  group: 'lockout',
  expectation:
    'A host on the owner’s list is refused as a value, by hand and by the model, and its forwarded conversations are never cut.',
  needs: ['nmap'],
  async run(field) {
    const agent = await field.startAgent({ guard: { never_block: ['192.0.2.66'] } });
    const { attacker, target } = field.network;
    const byHand = await agent.add({ scope: 'ip', value: attacker.address });
    field.expect('it is refused by hand', byHand.state === 'refused', byHand);
    const wider = await agent.add({ scope: 'cidr', value: '192.0.2.0/26' });
    field.expect('so is a prefix that the gateway itself stands in', wider.state === 'refused', wider);
    const attack = field.network.start(attacker.namespace, synScan(target));
    await field.expectSoon(
      'the model’s decision is refused and counted',
      async () => (await agent.ask('GET', '/status')) as { health: { enforcement: { refused: number } } },
      ({ health }) => health.enforcement.refused > 2,
    );
    await field.expectReach('the host still gets a page', attacker, true);
    field.expect('the kernel holds nothing against it', (await field.held(attacker.address)).length === 0);
    await attack.stop('SIGKILL');
  },
};
