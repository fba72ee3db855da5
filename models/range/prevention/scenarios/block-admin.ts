/** The administrator's own host is blocked, by mistake or by a trick. */
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  group: 'lockout',
  expectation:
    'A blocked host inside an admin prefix still opens ssh to the gateway, over a new connection, and nothing else: neither the gateway’s other ports nor the devices.',
  needs: ['sshd'],
  async run(field) {
    const { network } = field;
    const { gateway, attacker: admin } = network;
    await network.serve({ namespace: gateway, address: '192.0.2.1', address6: '', mac: '' }, 'ssh');
    await network.serve({ namespace: gateway, address: '192.0.2.1', address6: '', mac: '' }, 'web');
    const agent = await field.startAgent({ guard: { admin_prefixes: ['192.0.2.0/24'], management_ports: [22] } });
    await field.expectOpen('ssh answers before', admin.namespace, '192.0.2.1', 22);
    const { state } = await agent.add({ scope: 'ip', value: admin.address });
    field.expect('the block is taken', state === 'verified', state);
    await field.expectOpen('ssh to the gateway still answers', admin.namespace, '192.0.2.1', 22);
    field.expect('the gateway’s web page does not', !(await network.getsPage(admin, '192.0.2.1')));
    await field.expectReach('the devices are out of reach', admin, false);
  },
};
