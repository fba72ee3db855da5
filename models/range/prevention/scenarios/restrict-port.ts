/** A port is closed everywhere. */
import { tryPort } from '../conversations.ts';
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  group: 'restrictions',
  expectation:
    'port tcp/22 of the devices is closed though 22 is in use elsewhere; where it is a management port it would be refused.',
  needs: ['sshd'],
  network: { services: ['web', 'ssh'] },
  async run(field) {
    const agent = await field.startAgent({ guard: { management_ports: [2222] } });
    const { attacker, device } = field.network;
    await field.expectOpen('ssh is open before', attacker.namespace, device.address, 22);
    const { state } = await agent.add({ scope: 'port', value: 'tcp/22', direction: 'to' });
    field.expect('it is verified', state === 'verified', state);
    field.expect('ssh is closed', !(await tryPort(attacker.namespace, device.address, 22)));
    await field.expectReach('the web server is open', attacker, true);
    const refused = await agent.add({ scope: 'port', value: 'tcp/2222' });
    field.expect('the management port is refused', refused.state === 'refused', refused);
  },
};
