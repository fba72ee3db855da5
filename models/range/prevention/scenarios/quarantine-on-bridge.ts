/** A device attacks its neighbour: the frames never leave the LAN. */
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  group: 'networks',
  expectation:
    'Quarantine also keeps a device from its neighbours on the gateway’s own bridge; the neighbour keeps its way out.',
  honestClientVisits: 'neighbour',
  async run(field) {
    const agent = await field.startAgent();
    const { network } = field;
    const { device, neighbour } = network;
    await field.expectTry('the device reaches its neighbour before', () => network.getsPage(device, neighbour.address));
    const { state } = await agent.add({ scope: 'device', value: device.mac, action: 'quarantine' });
    field.expect('it is verified', state === 'verified', state);
    field.expect('it does not reach its neighbour', !(await network.getsPage(device, neighbour.address)));
    await field.expectPing('the neighbour still gets out', neighbour.namespace, network.bystander.address);
  },
};
