/** Prefixes inside one another. */
import { kernelElements } from '../kernel.ts';
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  group: 'restrictions',
  expectation:
    'A /26 that holds a blocked host outlives the host’s own, shorter block: an inner end does not open the outer one.',
  async run(field) {
    const agent = await field.startAgent();
    const { attacker, gateway } = field.network;
    await agent.add({ scope: 'cidr', value: '192.0.2.64/26', duration_seconds: 600 });
    await agent.add({ scope: 'ip', value: attacker.address, duration_seconds: 12 });
    const held = (await kernelElements(gateway)).filter(({ value }) => value.includes('192.0.2.'));
    field.expect('the kernel holds both', new Set(held.map(({ value }) => value)).size === 2, held);
    await field.expectSoon(
      'the inner one ends',
      () => field.held(attacker.address),
      ({ length }) => length === 0,
    );
    await field.expectReach('the host still gets nothing', attacker, false);
    const { state } = await agent.add({ scope: 'cidr', value: '192.0.2.70/26' });
    field.expect(
      'a prefix with host bits is taken as its network',
      state === 'verified' || state === 'proposed',
      state,
    );
  },
};
