/** A gateway that is a bridge: frames pass through it, no packet is routed. */
import { synScan } from '../attacks.ts';
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  group: 'networks',
  expectation: 'On a bridge, where the usual hooks see nothing, a scanner is cut all the same, over IPv4 and IPv6.',
  needs: ['nmap'],
  network: { forwarding: 'bridged' },
  async run(field) {
    const agent = await field.startAgent();
    const { attacker, target, device } = field.network;
    await field.expectReach('the attacker gets a page before', attacker, true);
    await field.attackUntilRestricted(attacker, synScan(target), attacker.address);
    await field.expectReach('the attacker gets nothing afterwards', attacker, false);
    await field.expectPing('over IPv6 it is answered', attacker.namespace, device.address6);
    await agent.add({ scope: 'ip', value: attacker.address6 });
    field.expect('until it is blocked', !(await field.network.pings(attacker.namespace, device.address6)));
  },
};
