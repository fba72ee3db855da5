/** One service of one device is closed. */
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  group: 'restrictions',
  expectation:
    'ip+port: nobody reaches the web server of the device; its ssh and the neighbour’s web server stay open.',
  needs: ['sshd'],
  network: { services: ['web', 'ssh'] },
  honestClientVisits: 'neighbour',
  async run(field) {
    const agent = await field.startAgent();
    const { attacker, device } = field.network;
    const { state } = await agent.add({ scope: 'ip+port', value: `${device.address} tcp/80`, direction: 'to' });
    field.expect('it is verified', state === 'verified', state);
    await field.expectReach('the web server is closed', attacker, false);
    await field.expectOpen('ssh is open', attacker.namespace, device.address, 22);
  },
};
