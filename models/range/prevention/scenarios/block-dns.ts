/** The resolver that the gateway uses is blocked. */
import { resolve, startResolver } from '../name-server.ts';
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  group: 'lockout',
  expectation:
    'A blocked host that is the gateway’s resolver still answers the gateway’s questions, over UDP and TCP; it cannot reach the gateway or the devices by itself.',
  needs: ['dnsmasq', 'busybox'],
  async run(field) {
    const { network } = field;
    const { gateway, attacker: resolver } = network;
    await startResolver(network, resolver);
    await gateway.overlay('resolv.conf', `nameserver ${resolver.address}\n`);
    const agent = await field.startAgent();
    await field.expectTry('a name is resolved before', () => resolve(gateway, 'made-up-one.example'));
    const { state } = await agent.add({ scope: 'ip', value: resolver.address });
    field.expect('the block is taken', state === 'verified', state);
    await field.expectTry('another name is still resolved', () => resolve(gateway, 'made-up-two.example'));
    await field.expectOpen('over TCP as well', gateway, resolver.address, 53);
    await field.expectReach('the resolver does not get to the devices', resolver, false);
    field.expect('the resolver gets no ping back', !(await network.pings(resolver.namespace, '192.0.2.1')));
  },
};
