/** A rule on trial, on a gateway that enforces. */
import { synScan } from '../attacks.ts';
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  group: 'modes',
  expectation: 'A rule in `simulate` on a gateway in `enforce` only counts; a decision by hand beside it drops.',
  needs: ['nmap'],
  async run(field) {
    const agent = await field.startAgent({ rules: [{ name: 'On trial', action: 'block', mode: 'simulate' }] });
    const { attacker, target } = field.network;
    field.network.start(attacker.namespace, synScan(target));
    const held = await field.expectSoon(
      'the rule’s decision counts',
      () => field.held(attacker.address),
      (elements) => elements.some(({ packets }) => packets > 0),
    );
    field.expect(
      'and only counts',
      held.every(({ set }) => set.startsWith('count')),
      held,
    );
    await field.expectReach('the attacker still gets a page', attacker, true);
    await agent.add({ scope: 'ip', value: attacker.address });
    await field.expectReach('by hand it is cut', attacker, false);
  },
};
