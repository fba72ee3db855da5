/** What would have been. */
import { synScan } from '../attacks.ts';
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  group: 'modes',
  expectation: 'simulate: the attacker’s packets are counted in the kernel and every one of them passes.',
  needs: ['nmap'],
  async run(field) {
    await field.startAgent({ mode: 'simulate' });
    const { attacker, target } = field.network;
    field.network.start(attacker.namespace, synScan(target));
    const held = await field.expectSoon(
      'the kernel counts the attacker’s packets',
      () => field.held(attacker.address),
      (elements) => elements.some(({ packets }) => packets > 0),
    );
    field.expect(
      'nothing restricts',
      held.every(({ set }) => set.startsWith('count')),
      held,
    );
    await field.expectReach('the attacker still gets a page', attacker, true);
  },
};
