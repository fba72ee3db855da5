/** The guard protects conversations, not destinations: nobody gets through to the gateway because it is the gateway. */
import { tryPort } from '../conversations.ts';
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  group: 'lockout',
  expectation:
    'A blocked host that is no admin reaches no port of the gateway, not even the management port, and gets no ping back.',
  needs: ['sshd'],
  async run(field) {
    const { network } = field;
    const { gateway, attacker } = network;
    await network.serve({ namespace: gateway, address: '192.0.2.1', address6: '', mac: '' }, 'ssh');
    const agent = await field.startAgent({ guard: { admin_prefixes: ['203.0.113.0/24'], management_ports: [22] } });
    await field.expectOpen('ssh answers before', attacker.namespace, '192.0.2.1', 22);
    await agent.add({ scope: 'ip', value: attacker.address });
    field.expect('ssh is out of reach', !(await tryPort(attacker.namespace, '192.0.2.1', 22)));
    field.expect('no ping comes back', !(await network.pings(attacker.namespace, '192.0.2.1')));
    await field.expectOpen('an admin who is not blocked still gets in', network.bystander.namespace, '192.0.2.1', 22);
  },
};
