/** One host is kept from one device, and from nothing else. */
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  group: 'restrictions',
  expectation:
    'A pair: the peer does not reach the device, nor the device the peer; the peer still reaches the neighbour.',
  honestClientVisits: 'neighbour',
  async run(field) {
    const agent = await field.startAgent();
    const { attacker, device, neighbour } = field.network;
    const { state } = await agent.add({ scope: 'pair', value: `${attacker.address} ${device.address}` });
    field.expect('it is verified', state === 'verified', state);
    await field.expectReach('the peer does not reach the device', attacker, false);
    field.expect(
      'the device does not reach the peer',
      !(await field.network.pings(device.namespace, attacker.address)),
    );
    await field.expectTry('the peer reaches the neighbour', () => field.network.getsPage(attacker, neighbour.address));
  },
};
