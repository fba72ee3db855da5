/** The time server that the gateway asks is blocked. */
import { askByDatagram } from '../conversations.ts';
import type { Scenario } from '../scenario.ts';
import { startEcho } from '../steady-client.ts';

export const scenario: Scenario = {
  group: 'lockout',
  expectation:
    'A blocked host that timesyncd asks for the time still answers the gateway, and reaches neither the gateway nor the devices by itself.',
  async run(field) {
    const { network } = field;
    const { gateway, attacker: server } = network;
    await gateway.overlay('systemd/timesyncd.conf', `[Time]\nNTP=${server.address}\n`);
    await startEcho(network, server, 123);
    const agent = await field.startAgent();
    await field.expectTry('it answers before', () => askByDatagram(gateway, server.address, 123, 40123));
    const { state } = await agent.add({ scope: 'ip', value: server.address });
    field.expect('the block is taken', state === 'verified', state);
    await field.expectTry('it still answers', () => askByDatagram(gateway, server.address, 123, 40124));
    field.expect('it gets no ping back', !(await network.pings(server.namespace, '192.0.2.1')));
    await field.expectReach('it does not get to the devices', server, false);
  },
};
