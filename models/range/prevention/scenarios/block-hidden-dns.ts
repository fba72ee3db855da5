/** The gateway has a forwarder of its own, and the resolver behind that is blocked. */
import { resolve, startForwarder, startResolver } from '../name-server.ts';
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  group: 'lockout',
  expectation:
    'A resolver that stands in dnsmasq’s configuration alone is found there, `status` names it, and it goes on answering the gateway while it is blocked.',
  needs: ['dnsmasq', 'busybox'],
  async run(field) {
    const { network } = field;
    const { gateway, attacker: resolver } = network;
    await startResolver(network, resolver);
    await startForwarder(network, resolver);
    const agent = await field.startAgent();
    const { stdout } = await agent.command('status');
    const guarded = stdout.split('\n').find((line) => line.startsWith('guarded')) ?? stdout;
    field.expect('status names the resolver', guarded.includes(`resolvers ${resolver.address}`), guarded);
    await field.expectTry('a name is resolved before', () => resolve(gateway, 'made-up-one.example'));
    const { state } = await agent.add({ scope: 'ip', value: resolver.address });
    field.expect('the block is taken', state === 'verified', state);
    await field.expectTry('another name is still resolved', () => resolve(gateway, 'made-up-two.example'));
    await field.expectReach('the resolver does not get to the devices', resolver, false);
  },
};
