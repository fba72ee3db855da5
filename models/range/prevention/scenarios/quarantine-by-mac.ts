/** A device that is shut in gives itself another address. */
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  group: 'restrictions',
  expectation:
    'Quarantine by MAC: the device reaches nobody, also from a new address of either family; the neighbour is untouched.',
  honestClientVisits: 'neighbour',
  async run(field) {
    const agent = await field.startAgent();
    const { network } = field;
    const { device, attacker: outside } = network;
    await field.expectPing('the device reaches the outside before', device.namespace, outside.address);
    await field.expectPing('over IPv6 as well', device.namespace, outside.address6);
    const { state } = await agent.add({ scope: 'device', value: device.mac, action: 'quarantine' });
    field.expect('it is verified', state === 'verified', state);
    field.expect('it reaches nobody', !(await network.pings(device.namespace, outside.address)));
    field.expect('nobody over IPv6', !(await network.pings(device.namespace, outside.address6)));
    await device.namespace.ip([
      'address flush dev eth0',
      'address add 192.168.77.99/24 dev eth0',
      'route add default via 192.168.77.1',
      '-6 address add fd77:0:0::99/64 dev eth0 nodad',
      '-6 route replace default via fd77:0:0::1',
    ]);
    field.expect('nor from another address', !(await network.pings(device.namespace, outside.address)));
    field.expect('nor from another long one', !(await network.pings(device.namespace, outside.address6)));
    await agent.command('decisions', 'delete', device.mac);
    await field.expectPing('released, it reaches the outside', device.namespace, outside.address);
    await field.expectPing('over IPv6 too, from its new address', device.namespace, outside.address6);
  },
};
