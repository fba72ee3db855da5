/** A device loses its way out and keeps the house. */
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  group: 'restrictions',
  expectation:
    'no_wan: the device reaches nobody outside, over either family, and still its neighbour and the gateway; released, it is as before.',
  honestClientVisits: 'neighbour',
  async run(field) {
    const agent = await field.startAgent();
    const { network } = field;
    const { device, neighbour, attacker: outside } = network;
    await field.expectPing('it reaches the outside before', device.namespace, outside.address);
    await field.expectPing('over IPv6 as well', device.namespace, outside.address6);
    const { state, detail } = await agent.add({ scope: 'device', value: device.mac, action: 'no_wan' });
    field.expect('it is verified', state === 'verified', { state, detail });
    field.expect('it reaches nobody outside', !(await network.pings(device.namespace, outside.address)));
    field.expect('nor over IPv6', !(await network.pings(device.namespace, outside.address6)));
    await field.expectTry('it reaches its neighbour', () => network.getsPage(device, neighbour.address));
    await field.expectPing('and the gateway', device.namespace, '192.168.77.1');
    const lifted = await agent.command('decisions', 'delete', device.mac);
    field.expect('it is lifted', lifted.status === 0, lifted.stderr);
    await field.expectPing('it reaches the outside again', device.namespace, outside.address);
    await field.expectPing('over IPv6 too', device.namespace, outside.address6);
  },
};
