/** The DHCP server of the gateway's provider is blocked. */
import { askByDatagram } from '../conversations.ts';
import type { Scenario } from '../scenario.ts';
import { startEcho } from '../steady-client.ts';

export const scenario: Scenario = {
  group: 'lockout',
  expectation:
    'A blocked DHCP server still answers when the gateway renews its lease (port 68 to 67), and nothing else of it passes.',
  async run(field) {
    const { network } = field;
    const { gateway, attacker: server } = network;
    await startEcho(network, server, 67);
    const agent = await field.startAgent();
    const { state } = await agent.add({ scope: 'ip', value: server.address });
    field.expect('the block is taken', state === 'verified', state);
    await field.expectTry('the lease is renewed', () => askByDatagram(gateway, server.address, 67, 68));
    field.expect('another datagram is not answered', !(await askByDatagram(gateway, server.address, 67, 40068)));
    await field.expectReach('it does not get to the devices', server, false);
  },
};
