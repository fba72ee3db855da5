/** Only watching. */
import { synScan } from '../attacks.ts';
import { kernelElements } from '../kernel.ts';
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  group: 'modes',
  expectation: 'observe: alerts are raised and the kernel is told nothing at all; a decision by hand says so.',
  needs: ['nmap'],
  async run(field) {
    const agent = await field.startAgent({ mode: 'observe' });
    const { attacker, target, gateway } = field.network;
    field.network.start(attacker.namespace, synScan(target));
    await field.expectSoon(
      'the attack is seen',
      async () => (await agent.ask('GET', '/status')) as { health: { detection: { attacks: number } } },
      ({ health }) => health.detection.attacks >= 3,
    );
    const byHand = await agent.command('decisions', 'add', '--ip', attacker.address);
    field.expect('a decision by hand says that nothing is held', byHand.status !== 0, byHand.stderr);
    field.expect('the kernel holds nothing', (await kernelElements(gateway)).length === 0);
    const tables = await gateway.must(['nft', 'list', 'tables']);
    field.expect('there is no table of ours', !tables.includes('picket'), tables);
    await field.expectReach('the attacker still gets a page', attacker, true);
  },
};
